"""Whose certificates are trusted, and why one is not."""

from __future__ import annotations

import ssl

from rt_notebook.errors import ConfigError

__all__ = ["trusting", "why_untrusted"]

_OWN = "pass ca_file= (on the command line --ca-file), or set SSL_CERT_FILE, with its certificate"
_CLOCK = "Check the clock of this machine; if it is right, tell the endpoint's operator."
_ITSELF = f"If the server is yours, {_OWN}; else check the address."
_COMPANY = (
    f"If your company has its own authority, or a proxy that reads along, {_OWN}; else check the address."
)
_UNKNOWN = "its authority is not known to this machine"
_NAME = "Use the name that the certificate is for; ca_file= would not help."
_WHY = {
    9: ("it is not valid yet", _CLOCK),
    10: ("it has expired", _CLOCK),
    18: ("it is signed by itself", _ITSELF),
    19: (_UNKNOWN, _COMPANY),
    20: (_UNKNOWN, _COMPANY),
    21: (_UNKNOWN, _COMPANY),
    62: ("it is for another name", _NAME),
    64: ("it is for another name", _NAME),
}
"""By OpenSSL's verify codes."""


def trusting(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that trusts this machine's authorities, or SSL_CERT_FILE's, and those of `ca_file`.

    Raises
    ------
    ConfigError
        The file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except ssl.SSLError:
            raise ConfigError(
                f"{ca_file} holds no certificate in PEM form.", "Export it as PEM: it begins with -----BEGIN."
            ) from None
        except OSError as error:
            raise ConfigError(
                f"{ca_file} cannot be read ({error.strerror}).", "Give the path of a PEM file as ca_file=."
            ) from None
    return context


def why_untrusted(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """Return why a certificate was refused, as half a sentence, and what to do about it."""
    return _WHY.get(error.verify_code, (error.verify_message, "Check the address."))
