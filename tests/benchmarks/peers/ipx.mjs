// ipx as its own page shows it, on node:http: `node ipx.mjs FOLDER PORT`.
import http from "node:http";
import { createIPX, createIPXNodeServer, ipxFSStorage } from "ipx";

const [folder, port] = process.argv.slice(2);
const ipx = createIPX({ storage: ipxFSStorage({ dir: folder }) });
http.createServer(createIPXNodeServer(ipx)).listen(Number(port), "127.0.0.1");
