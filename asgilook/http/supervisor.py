"""The process above several workers."""

from uvicorn.supervisors import Multiprocess


class Supervisor(Multiprocess):
    """uvicorn's supervisor, which lets go of the port when the end begins.

    Its own copy of the listening socket would take connections for as long as the workers still
    finish what is under way, and nobody would serve them.
    """

    def terminate_all(self) -> None:
        for listener in self.sockets:
            listener.close()
        super().terminate_all()
