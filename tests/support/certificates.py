"""Certificates for servers on loopback: by an authority of the test's own, or signed by themselves."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl

import pytest


class Authority:
    """A certificate authority that nobody knows but the test.

    Parameters
    ----------
    folder
        Where its own certificate and those that it issues are put.
    """

    def __init__(self, folder, name="Songbird Works Root CA"):
        pytest.importorskip("cryptography")
        self._folder = folder
        self._key, self._name = _key(), _named(name)
        self._certificate = _signed(self._key, self._name, self._key, self._name, authority=True)
        self.file = folder / f"{name.split()[0].lower()}-ca.pem"
        self.file.write_bytes(_pem(self._certificate))

    def issue(self, *names, days=1):
        """Return a file with a key and a certificate for these names; negative days: it is over."""
        key = _key()
        certificate = _signed(key, _named(names[0]), self._key, self._name, names=names, days=days)
        return _written(self._folder / f"{names[0]}.pem", key, certificate)


def signed_by_itself(folder, name="localhost"):
    """Return a file with a key and a certificate that signed itself."""
    pytest.importorskip("cryptography")
    key = _key()
    certificate = _signed(key, _named(name), key, _named(name), names=(name,))
    return _written(folder / "certificate.pem", key, certificate)


def server_context(file):
    """Return what a server needs to speak TLS with a key and certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def _key():
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _named(name):
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _signed(key, subject, issuer_key, issuer, *, names=(), authority=False, days=1):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = dt.datetime.now(dt.UTC)
    begins, ends = sorted([now + dt.timedelta(days=days), now - dt.timedelta(days=1 if days > 0 else 9)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if authority:
        builder = builder.add_extension(_key_usage(x509), critical=True)
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName(list(map(_general, names))), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(x509):
    used = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False
    ) | dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(**used, key_cert_sign=True, crl_sign=True)


def _general(name):
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate):
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)


def _written(file, key, certificate):
    from cryptography.hazmat.primitives import serialization

    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + _pem(certificate))
    return file
