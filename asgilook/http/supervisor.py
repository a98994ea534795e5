"""The process above several workers."""

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess


class Supervisor(Multiprocess):
    """uvicorn's supervisor, which lets go of the port when the end begins.

    Its own copy of the listening socket would take connections for as long as the workers still
    finish what is under way, and nobody would serve them.
    """

    def run(self) -> None:
        """Run until told to end. Raises `SystemExit` where a worker could not start."""
        super().run()
        if any(process.exitcode == STARTUP_FAILURE for process in self.processes):
            raise SystemExit(STARTUP_FAILURE)

    def keep_subprocess_alive(self) -> None:
        for process in self.processes:
            # While this end of it is open, who dies owing an answer is waited for in vain, and
            # no signal is heeded.
            process.child_conn.close()
        super().keep_subprocess_alive()

    def terminate_all(self) -> None:
        for listener in self.sockets:
            listener.close()
        super().terminate_all()
