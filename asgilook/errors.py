"""What can go wrong, in the words of this domain.

No class here knows of HTTP: `http/problems.py` holds the one table that gives each a status and
a public text. What an exception carries as its message is private and goes to the log only.
"""


class AsgilookError(Exception):
    """The root of everything this package raises on purpose."""


class ConfigError(AsgilookError):
    """A setting is wrong, unknown or missing; the message says which and how to mend it."""


class ImageNotFound(AsgilookError):
    """No such image, or it was deleted."""


class ImageDeleted(ImageNotFound):
    """The image was deleted not long ago, for good."""


class ThumbnailNotFound(AsgilookError):
    """The image exists but does not come in this size."""


class ObjectNotFound(AsgilookError):
    """The store holds nothing under this key."""


class ObjectExists(AsgilookError):
    """The store holds something under this key already, and never overwrites."""


class StoreUnavailable(AsgilookError):
    """The store is down, full or asks for less; the same call may work in a moment.

    Also the root of all other trouble with the store.
    """


class StoreTimeout(StoreUnavailable):
    """The store is there, but too slow."""


class StoreRefused(StoreUnavailable):
    """The store does not let us in: a bucket, a right, a credential or the clock is wrong."""


class StoreBroken(StoreUnavailable):
    """The store's answer is cut, damaged, or none that it should give."""


class PurgeFailed(AsgilookError):
    """The CDN did not take an order to forget; it says to wait `wait_s`, or nothing."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class QueueUnavailable(AsgilookError):
    """The queue of purges cannot be reached; the same call may work later."""


class PurgeNotFound(AsgilookError):
    """No purge of such an image is known of, or any more."""


class RangeUnsatisfiable(AsgilookError):
    """The range lies outside an object of `size_bytes`."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self.size_bytes = size_bytes


class Overloaded(AsgilookError):
    """There is more work waiting than this process accepts; worth a new try after a while."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(AsgilookError):
    """A client has used up what it may use; for all of it to be back it takes `wait_s` seconds."""

    def __init__(self, what: str, wait_s: int) -> None:
        super().__init__(what)
        self.wait_s = wait_s


class InvalidPage(AsgilookError):
    """The cursor or the limit of a listing is not one that we give out or accept."""


class SignatureInvalid(AsgilookError):
    """A path that nobody with a key signed, or whose time is over."""


class WriteUnauthorized(AsgilookError):
    """Writing needs a key, and none or a wrong one was shown."""


class WriteForbidden(AsgilookError):
    """There are no keys, and the request does not come straight from this machine."""


class UploadRefused(AsgilookError):
    """The root of everything that is wrong with an upload itself."""


class UploadEmpty(UploadRefused):
    """An upload without a body, or a form without a file."""


class UploadIncomplete(UploadRefused):
    """The body ended before its announced end."""


class UploadTooSlow(UploadRefused):
    """The body pauses, or takes longer than it may."""


class UploadTooLarge(UploadRefused):
    """The body is longer than `limit_bytes`."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.limit_bytes = limit_bytes


class UploadMalformed(UploadRefused):
    """A form that does not follow the rules of forms, or has too many parts."""


class DigestMalformed(UploadRefused):
    """A digest field that does not follow the rules of structured fields."""


class DigestMismatch(UploadRefused):
    """The body is not the one that its digest field announces."""


class ClaimMalformed(UploadRefused):
    """An idempotency key that is empty, too long, or not plain text."""


class ClaimMismatch(UploadRefused):
    """The idempotency key was used before, with another upload."""


class UnsupportedType(UploadRefused):
    """The type announced, or the one found inside, is not a picture that we take."""


class BrokenPicture(UploadRefused):
    """The type is one that we take, yet no picture comes out of it."""


class PictureTooLarge(UploadRefused):
    """More pixels, or a longer side, than this service decodes."""
