"""Every error that rt_notebook raises, in one tree.

::

    RtNotebookError
    ├── ConfigError              a setting, an argument or an environment variable is wrong
    ├── AudioFileError           a file cannot be read as audio
    ├── BundleError              a recorded session cannot be read or written
    ├── ComponentMissingError    an optional component is not installed
    ├── LogFileError             a file cannot be read or written as a log
    ├── PortInUseError           the local server cannot have the port
    ├── ConnectError             no session could be opened
    │   ├── AuthenticationError      the endpoint refused the key or token (401, 403)
    │   ├── EndpointNotFoundError    no such deployment, model or path (404)
    │   └── RefusedError             the endpoint refused the connection with another status (400, 429, 503)
    ├── SessionClosedError       the session is not open (any more)
    ├── NoReplyError             a question was not heard or not answered
    └── ServerError              the endpoint answered a request with an ``error`` event

Each message is one sentence that says what is wrong, followed by the remedy.
"""

from __future__ import annotations


class RtNotebookError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    problem
        What is wrong, as one sentence.
    remedy
        What the reader can do about it, as one sentence. The message ends with it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[RtNotebookError], tuple[str, str]]:
        """Pickle by both sentences, so that errors cross process borders."""
        return type(self), (self.problem, self.remedy)


class ConfigError(RtNotebookError):
    """A setting, an argument or an environment variable is missing or wrong."""


class AudioFileError(RtNotebookError):
    """A file cannot be read as audio."""


class BundleError(RtNotebookError):
    """A recorded session (``.rtlog``) cannot be read or written, or is not what was written."""


class ComponentMissingError(RtNotebookError):
    """An optional component is not installed."""


class LogFileError(RtNotebookError):
    """A file cannot be read or written as a log."""


class PortInUseError(RtNotebookError):
    """The local server cannot have the port that it was told to use."""


class ConnectError(RtNotebookError):
    """No session could be opened with the endpoint."""


class AuthenticationError(ConnectError):
    """The endpoint refused the key or the token (HTTP 401 or 403)."""


class EndpointNotFoundError(ConnectError):
    """The endpoint knows no such deployment, model or path (HTTP 404)."""


class RefusedError(ConnectError):
    """The endpoint refused the connection with a status that is none of the above.

    Attributes
    ----------
    status
        The HTTP status, such as 429.
    retry_after_s
        How long the endpoint asks to be left alone; None when it did not say.
    """

    def __init__(
        self, problem: str, remedy: str, status: int = 0, retry_after_s: float | None = None
    ) -> None:
        super().__init__(problem, remedy)
        self.status = status
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[type[RefusedError], tuple[str, str, int, float | None]]:  # type: ignore[override]
        """Pickle with the status."""
        return type(self), (self.problem, self.remedy, self.status, self.retry_after_s)


class SessionClosedError(RtNotebookError):
    """The session is not open: it was never connected, was closed, or the connection was lost."""


class NoReplyError(RtNotebookError):
    """A question was not heard, or no answer to it came."""


class ServerError(RtNotebookError):
    """The endpoint answered a request with an ``error`` event.

    Attributes
    ----------
    code
        The endpoint's own code, such as ``"invalid_value"``; None when it gave none.
    param
        The parameter that the endpoint objects to, such as ``"session.type"``; None when it named none.
    """

    def __init__(self, problem: str, remedy: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(problem, remedy)
        self.code = code
        self.param = param

    def __reduce__(self) -> tuple[type[ServerError], tuple[str, str, str | None, str | None]]:  # type: ignore[override]
        """Pickle with code and parameter."""
        return type(self), (self.problem, self.remedy, self.code, self.param)
