"""`python -m tests.load`, which is what `make load` runs."""

import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from multiprocessing import Queue, get_context
from pathlib import Path
from typing import Any

import click
import httpx

from tests import servers
from tests.load import pictures
from tests.load.memory import Group, Watch, family_mib
from tests.load.visitors import LIMIT_S, Answer, Everyday, crowd, spread

IDLE_S = 5


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--uploads", default=64, show_default=True, help="Large pictures at once.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(list(pictures.KINDS)),
    help="Of this kind; may be given several times.  [default: all of them, in turn]",
)
@click.option("--limit-mib", default=1024, show_default=True, help="Memory for the service in all.")
def main(uploads: int, kinds: tuple[str, ...], limit_mib: int) -> None:
    """Send 40-megapixel pictures all at once, and small ones beside them.

    The service runs as shipped, with its defaults and a folder for its pictures; where the
    machine lets us (cgroup v1, as root), the kernel kills what goes over the limit. Shows the
    peak of its memory, who got what answer, and what everybody else noticed of it.
    """
    names = list(kinds or pictures.KINDS)
    with click.progressbar(names, label="painting", file=sys.stderr) as progress:
        bodies = {kind: pictures.large(kind) for kind in progress}
    group = Group(limit_mib * 1024**2) if Group.is_possible() else None
    with tempfile.TemporaryDirectory() as root, contextlib.ExitStack() as running:
        options = servers.ServiceOptions(Path(root), {}, ("--no-access-log",))
        with group.joined() if group else contextlib.nullcontext():
            service = running.enter_context(servers.service(options))
        asyncio.run(_measure(service, bodies, uploads))
        click.echo(
            f"kernel's limit of {limit_mib} MiB: {group.summary() if group else 'none here'}"
        )
    if group:
        group.remove()


async def _measure(service: servers.Service, bodies: dict[str, bytes], uploads: int) -> None:
    pid = service.process.pid
    async with httpx.AsyncClient(base_url=service.url, timeout=LIMIT_S) as client:
        before, beside = Everyday(client), Everyday(client)
        await before.open_up()
        await beside.open_up()
        idle_mib = sum(family_mib(pid).values())
        async with _running(before.come_and_go()):
            await asyncio.sleep(IDLE_S)
        watch = Watch(pid)
        async with _running(beside.come_and_go()), _running(watch.run()):
            answers = await asyncio.to_thread(_crowd, service.url, bodies, uploads)
        await asyncio.sleep(1)
        after_mib = sum(family_mib(pid).values())
    _report(answers)
    _compare(before, beside)
    click.echo(f"memory, before: {idle_mib:.0f} MiB; afterwards: {after_mib:.0f} MiB")
    for name, size_mib in watch.peak_mib.items():
        click.echo(f"memory, peak of {name}: {size_mib:.0f} MiB")


def _crowd(url: str, bodies: dict[str, bytes], uploads: int) -> list[Answer]:
    context = get_context("spawn")
    queue: Queue[Answer] = context.Queue()
    process = context.Process(target=crowd, args=(url, bodies, uploads, queue), daemon=True)
    process.start()
    with click.progressbar(range(uploads), label="uploads", file=sys.stderr) as progress:
        answers = [queue.get(timeout=LIMIT_S) for _ in progress]
    process.join()
    return answers


@contextlib.asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _report(answers: list[Answer]) -> None:
    click.echo("large uploads: answers by kind")
    for kind in dict.fromkeys(answer.kind for answer in answers):
        statuses = Counter(answer.status for answer in answers if answer.kind == kind)
        click.echo(f"  {kind:24} {dict(statuses)}")
    click.echo("large uploads: seconds to the answer, median / p99 / most")
    for status in sorted({answer.status for answer in answers}):
        waits_s = [answer.wait_s for answer in answers if answer.status == status]
        click.echo(f"  {status}: {len(waits_s):3} {spread(waits_s, 1)}")
    hints = Counter(answer.retry_after for answer in answers if answer.retry_after)
    click.echo(f"  Retry-After, and how often: {dict(hints)}")


def _compare(before: Everyday, beside: Everyday) -> None:
    click.echo("everybody else: ms, median / p99 / most; before the crowd, and beside it")
    for name, waits_s in beside.waits_s.items():
        alone, statuses = spread(before.waits_s[name], 1000), dict(beside.statuses[name])
        click.echo(f"  {name:14} {alone:20} {spread(waits_s, 1000):20} {statuses}")


if __name__ == "__main__":
    main()
