// sharp behind node:http: `node sharp.mjs FOLDER PORT` answers /{name}/{w}x{h}.{format}.
import http from "node:http";
import path from "node:path";
import sharp from "sharp";

const [folder, port] = process.argv.slice(2);
const encoders = { jpeg: { quality: 80 }, webp: { quality: 80 }, avif: { quality: 50 } };

// Each picture is asked for once: keeping operations would only cost memory.
sharp.cache(false);

http.createServer(async (request, answer) => {
  const match = /^\/([\w.-]+)\/(\d+)x(\d+)\.(\w+)$/.exec(request.url);
  if (!match) {
    answer.writeHead(404).end();
    return;
  }
  const [, name, width, height, format] = match;
  try {
    const body = await sharp(path.join(folder, name))
      .resize(Number(width), Number(height), { fit: "fill" })
      .toFormat(format, encoders[format])
      .toBuffer();
    answer.writeHead(200, { "content-type": `image/${format}`, "content-length": body.length });
    answer.end(body);
  } catch (error) {
    answer.writeHead(500).end(String(error));
  }
}).listen(Number(port), "127.0.0.1");
