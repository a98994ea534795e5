"""Where untrusted pictures are decoded."""

import asyncio
import os
import signal

from asgilook.workers import Workers


async def test_a_picture_does_not_suffer_for_a_decoder_that_ended_before_it_came() -> None:
    workers = Workers(slots=1, deadline_s=60)
    await workers.open_up()
    try:
        lost = await workers.decode(os.getpid)
        os.kill(lost, signal.SIGKILL)
        await asyncio.to_thread(os.waitid, os.P_PID, lost, os.WEXITED | os.WNOWAIT)
        assert await workers.decode(os.getpid) != lost
    finally:
        await workers.close()
