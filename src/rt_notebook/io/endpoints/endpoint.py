"""Where a session connects to, and with which key."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from rt_notebook.core.dialects import DIALECTS
from rt_notebook.errors import ConfigError
from rt_notebook.io.endpoints.address import Address, hidden_in, is_loopback
from rt_notebook.io.endpoints.plugins import open_named
from rt_notebook.io.secrets.credentials import bearer_token
from rt_notebook.io.secrets.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rt_notebook.core.dialects import DialectName
    from rt_notebook.io.bundle.recording import Recording

__all__ = ["Endpoint"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A realtime speech endpoint. Make one with `local`, `azure`, `openai`, `url` or `replay`.

    Attributes
    ----------
    label
        What to call it on screen: ``"LOCAL"``, ``"Azure OpenAI"``, ``"OpenAI"`` or the host.
    dialect
        ``"ga"`` or ``"preview"``.
    replayed
        The recording that is the endpoint, and its speed; None for a real one.
    ca_file
        File with further certificate authorities that are trusted; None for those of this machine alone.

    Raises
    ------
    ConfigError
        There is no such dialect.
    """

    label: str
    dialect: DialectName
    _url: str | None = None
    _header: str = "Authorization"
    _key: Secret | None = None
    _credential: Any = field(default=None, repr=False)
    _plugin: str | None = None
    _options: dict[str, Any] = field(default_factory=dict, repr=False)
    replayed: tuple[Recording, float] | None = field(default=None, repr=False)
    ca_file: str | None = None

    def __post_init__(self) -> None:
        if self.dialect not in DIALECTS:
            raise ConfigError(f"dialect={self.dialect!r} is unknown.", f"Use one of: {', '.join(DIALECTS)}.")

    @classmethod
    def local(
        cls,
        *,
        dialect: DialectName = "ga",
        chat_url: str | None = None,
        chat_model: str | None = None,
        reply: str = "auto",
        faults: Sequence[str] = (),
        seed: int = 0,
        session_minutes: float = 60.0,
    ) -> Self:
        """Use the embedded server in this process: no key, no network.

        Parameters
        ----------
        dialect
            Which dialect to speak with it, ``"ga"`` (default) or ``"preview"``.
        chat_url, chat_model
            An OpenAI-compatible chat endpoint that writes the replies, such as
            ``"http://127.0.0.1:11434/v1"``, and the model to ask it for. By default the small model inside
            the package answers.
        reply
            Who writes the replies where no chat endpoint does: ``"auto"``, ``"smollm2"``, ``"rules"`` or
            ``"echo"``, which says the user's own audio again.
        faults, seed
            What goes wrong on purpose, as a lesson, such as ``["drop:connections=1"]``, and the seed of its
            chance; ``rt-notebook serve --fault help`` lists what there is. Sessions with the same faults and
            seed are counted together; another seed begins anew.
        session_minutes
            How long a session may last.
        """
        options: dict[str, Any] = {"chat_url": chat_url, "chat_model": chat_model, "reply": reply}
        options |= {"faults": tuple(faults), "seed": seed, "session_minutes": session_minutes}
        return cls(label="LOCAL", dialect=dialect, _plugin="local", _options=options)

    @classmethod
    def azure(
        cls,
        *,
        endpoint: str | None = None,
        deployment: str | None = None,
        api_key: str | Secret | None = None,
        credential: object = None,
        api_version: str | None = None,
        ca_file: str | Path | None = None,
    ) -> Self:
        """Use a deployment of Azure OpenAI.

        Parameters
        ----------
        endpoint
            The resource, ``"https://NAME.openai.azure.com"``; else ``AZURE_OPENAI_ENDPOINT``.
        deployment
            Name of the deployment; else ``AZURE_OPENAI_DEPLOYMENT``.
        api_key
            Key of the resource; else ``AZURE_OPENAI_API_KEY``.
        credential
            An Entra credential with ``get_token``. With neither it nor a key, ``DefaultAzureCredential``.
        api_version
            None (default) is the GA path. A version such as ``"2024-10-01-preview"`` (else
            ``OPENAI_API_VERSION``) selects the preview path and dialect.
        ca_file
            PEM file of a certificate authority that this machine does not know, such as your company's. What
            the machine trusts, or ``SSL_CERT_FILE`` names, is trusted as well.

        Raises
        ------
        ConfigError
            The endpoint or the deployment is not known, or the endpoint is no ``https://`` address, or has a
            key in it; or `ca_file` holds no certificate.
        """
        api_key = _secret(api_key)  # from here on, no frame holds it
        endpoint = endpoint or os.environ.get("AZURE_OPENAI_ENDPOINT")
        deployment = deployment or os.environ.get("AZURE_OPENAI_DEPLOYMENT")
        version = api_version or os.environ.get("OPENAI_API_VERSION")
        if not endpoint:
            raise ConfigError(
                "No Azure OpenAI endpoint is set.", "Pass endpoint= or set AZURE_OPENAI_ENDPOINT."
            )
        if not deployment:
            raise ConfigError("No deployment is set.", "Pass deployment= or set AZURE_OPENAI_DEPLOYMENT.")
        if hidden_in(endpoint):
            del endpoint
            raise _key_in_address()
        root = _websocket_root(endpoint)
        if version:
            query = urlencode({"api-version": version, "deployment": deployment})
            url = f"{root}/openai/realtime?{query}"
        else:
            url = f"{root}/openai/v1/realtime?{urlencode({'model': deployment})}"
        key = _usable(_secret(api_key, None if credential is not None else "AZURE_OPENAI_API_KEY"))
        return cls(
            label="Azure OpenAI",
            dialect="preview" if version else "ga",
            _url=url,
            _header="api-key" if key else "Authorization",
            _key=key,
            _credential=credential
            if key is None and credential is not None
            else (None if key else "default"),
            ca_file=_readable(ca_file),
        )

    @classmethod
    def openai(
        cls,
        *,
        model: str = "gpt-realtime",
        api_key: str | Secret | None = None,
        ca_file: str | Path | None = None,
    ) -> Self:
        """Use a model of OpenAI, by the GA dialect.

        Parameters
        ----------
        model
            Name of the model; any name is passed on.
        api_key
            The key; else ``OPENAI_API_KEY``.
        ca_file
            PEM file of a further certificate authority, as in `azure`.

        Raises
        ------
        ConfigError
            No key is set, or `ca_file` holds no certificate.
        """
        api_key = _secret(api_key, "OPENAI_API_KEY")  # from here on, no frame holds it
        key = _usable(api_key)
        if key is None:
            raise ConfigError("No OpenAI key is set.", "Pass api_key= or set OPENAI_API_KEY.")
        url = f"wss://api.openai.com/v1/realtime?model={quote(model)}"
        return cls(label="OpenAI", dialect="ga", _url=url, _key=key, ca_file=_readable(ca_file))

    @classmethod
    def url(
        cls,
        url: str,
        *,
        api_key: str | Secret | None = None,
        dialect: DialectName | None = None,
        insecure: bool = False,
        ca_file: str | Path | None = None,
    ) -> Self:
        """Use any server that speaks the protocol.

        Parameters
        ----------
        url
            The whole WebSocket address, ``"ws://127.0.0.1:8000/v1/realtime?model=…"``.
        api_key
            Sent as a bearer token and, on Azure's paths, as ``api-key``.
        dialect
            By default ``"preview"`` where the address has an ``api-version``, else ``"ga"``.
        insecure
            Allow ``ws://`` to another machine, which shows the key and the voice to the network between.
        ca_file
            PEM file of a further certificate authority, as in `azure`.

        Raises
        ------
        ConfigError
            The address is no WebSocket address, is an open one to another machine, or has a key in it;
            or `ca_file` holds no certificate.
        """
        api_key = _secret(api_key)  # from here on, no frame holds it
        if hidden_in(url):
            del url
            raise _key_in_address()
        parts = _split(url)
        if parts.scheme in {"http", "https"}:
            better = parts._replace(scheme="wss" if parts.scheme == "https" else "ws").geturl()
            raise ConfigError(
                f"{parts.scheme}:// is the address of web pages, and a WebSocket is meant.",
                f"Write {better!r}, or use Endpoint.azure(endpoint=…) for an Azure resource.",
            )
        if parts.scheme not in {"ws", "wss"} or not parts.hostname:
            raise ConfigError(
                f"{url!r} is no WebSocket address.", "Give one such as ws://127.0.0.1:8000/v1/realtime."
            )
        if parts.scheme == "ws" and not insecure and not is_loopback(parts.hostname):
            raise ConfigError(
                f"ws:// to {parts.hostname} would send key and voice in the open.",
                "Use wss://, or pass insecure=True if you accept that.",
            )
        if dialect is None:
            dialect = "preview" if "api-version=" in parts.query else "ga"
        azure = parts.path.startswith("/openai/")
        return cls(
            label=parts.netloc.rpartition("@")[2],
            dialect=dialect,
            _url=url,
            _key=_usable(api_key),
            _header="api-key" if azure else "Authorization",
            ca_file=_readable(ca_file),
        )

    @classmethod
    def replay(cls, recording: str | Path | Recording, *, speed: float = 1.0) -> Self:
        """Use a recorded session: what happened then happens again, in the log, the plots and the widget.

        Nothing that is sent is heard; the log says so. Its times are those of the recording.

        Parameters
        ----------
        recording
            The path of an ``.rtlog`` bundle, or what `rt_notebook.load` returned.
        speed
            1.0 (default) is the recorded pace, at which the voice is played as well; 2.0 is twice as fast,
            ``math.inf`` as fast as possible.

        Raises
        ------
        BundleError
            The bundle cannot be opened.
        ConfigError
            The speed is not above zero.
        """
        from rt_notebook.io.bundle.recording import Recording, load

        if not speed > 0:
            raise ConfigError(f"speed={speed!r} is out of range.", "Give a number above zero, or math.inf.")
        opened = recording if isinstance(recording, Recording) else load(recording)
        name = "a recording" if opened.path is None else opened.path.name
        dialect: DialectName = "preview" if opened.manifest.dialect == "preview" else "ga"
        return cls(label=f"Replay of {name}", dialect=dialect, replayed=(opened, float(speed)))

    @property
    def websocket_url(self) -> str | None:
        """The address, without a key; None for what is in this process."""
        return self._url

    def secrets(self) -> list[Secret]:
        """Return the keys that are known here, for whoever has to keep them out of something."""
        return [] if self._key is None else [self._key]

    async def address(self) -> Address:
        """Find out where to connect now: start the embedded server or fetch a token where need be."""
        if self.replayed is not None:
            raise ConfigError("A recording has no address.", "Give the endpoint to a Session.")
        if self._plugin is not None:
            return await open_named(self._plugin, dialect=self.dialect, **self._options)
        headers: dict[str, Secret] = {}
        if self._key is not None:
            value = self._key.reveal()
            headers[self._header] = (
                Secret(f"Bearer {value}") if self._header == "Authorization" else self._key
            )
        elif self._credential is not None:
            token = await bearer_token(None if self._credential == "default" else self._credential)
            headers["Authorization"] = Secret(f"Bearer {token.reveal()}")
        if self.dialect == "preview" and self._header == "Authorization" and self._key is not None:
            headers["OpenAI-Beta"] = Secret("realtime=v1")
        return Address(self._url or "", headers, self.ca_file)


def _secret(value: str | Secret | None, variable: str | None = None) -> Secret | None:
    """Wrap a key; else that of an environment variable. It refuses nothing, since that would show it."""
    if value is None and variable is not None:
        value = os.environ.get(variable) or None
    return value if value is None or isinstance(value, Secret) else Secret(value)


def _usable(key: Secret | None) -> Secret | None:
    """Return a key that can stand in a header. No frame here holds it open."""
    if key is None:
        return None
    if not isinstance(key.reveal(), str):
        kind = type(key.reveal()).__name__
        raise ConfigError(f"The key is of type {kind}, and a text is meant.", "Give it as a str.")
    if key.reveal() != key.reveal().strip() or not (key.reveal().isascii() and key.reveal().isprintable()):
        raise ConfigError(
            "The key has a line end, blanks around it, or letters that no key has.",
            "Give the key alone: .strip() what was read from a file.",
        )
    return key


def _readable(ca_file: str | Path | None) -> str | None:
    """Return the whole path of a file of certificates, which can be used."""
    if ca_file is None:
        return None
    from rt_notebook.io.endpoints.trust import trusting

    trusting(str(ca_file))
    return os.path.abspath(ca_file)  # noqa: PTH100 - of a str, too


def _key_in_address() -> ConfigError:
    return ConfigError(
        "A key or password stands in the address, and addresses end up in logs.",
        "Give the address without it, and the key as api_key=.",
    )


def _split(address: str) -> SplitResult:
    """Split an address, and look at once at what else only the first connection would find."""
    try:
        parts = urlsplit(address)
        _ = parts.port, (parts.hostname or "").encode("idna")
    except ValueError:
        raise ConfigError(
            "The address has no usable host or port.",
            "Check the name, the brackets of an IPv6 address, and that the port is a number up to 65535.",
        ) from None
    return parts


def _websocket_root(endpoint: str) -> str:
    """Turn an Azure resource's address into the root of its WebSocket addresses."""
    parts = _split(endpoint.rstrip("/"))
    if parts.scheme not in {"https", "http", "wss", "ws"} or not parts.hostname:
        raise ConfigError(
            f"{endpoint!r} is no address of an Azure OpenAI resource.",
            "Give it in the form https://NAME.openai.azure.com.",
        )
    secure = parts.scheme in {"https", "wss"}
    if not secure and not is_loopback(parts.hostname):
        raise ConfigError(f"{endpoint!r} would send the key in the open.", "Use the https:// address.")
    return f"{'wss' if secure else 'ws'}://{parts.netloc}"
