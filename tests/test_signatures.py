"""Signatures: every way to be wrong has its own code; a good one passes, detached or around the file."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from certificates import DAY, Authority, Holder, key_pem, made, name, retouched, revocations, without_attributes
from conftest import GOOD
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import NAME, NOW, file_of

from pisis_batch import pipeline
from pisis_batch.adapters.trust_folder import TrustFolder
from pisis_batch.layouts import shelf
from pisis_batch.model import DETACHED, ENVELOPED, Limits, Received, Trust
from pisis_batch.ports import UnavailableError

CONTENT = file_of(GOOD)


@cache
def authority() -> Authority:
    return Authority.new()


def trusting(
    *lists: bytes, required: bool = True, roots: tuple[Holder, ...] = (), middles: tuple[Holder, ...] = ()
) -> Trust:
    known = authority()
    both = [one.certificate.public_bytes(Encoding.DER) for one in (roots or (known.root,))]
    between = [one.certificate.public_bytes(Encoding.DER) for one in (middles or (known.middle,))]
    told = lists or (revocations(known.root), revocations(known.middle))
    return Trust(required, tuple(both), tuple(between), told)


def codes(signature: bytes, content: bytes = CONTENT, trust: Trust | None = None, how: str = DETACHED) -> list[str]:
    apart = how == DETACHED
    received = Received(
        "g", NAME, content if apart else signature, NOW, None, signed=how, signature=signature if apart else b""
    )
    examined = pipeline.examine(received, shelf(), Limits(), trust or trusting())
    return [finding.code for finding in examined.findings if finding.severity == "error"]


def test_a_good_signature_says_nothing() -> None:
    holder = authority().entity()
    assert codes(holder.signed(CONTENT)) == []
    assert codes(authority().entity(nit="900123456").signed(CONTENT)) == []
    serial = made(name("OTRO CAMPO", serial="NIT 900.123.456-8"), authority().middle)
    assert codes(serial.signed(CONTENT)) == []


@pytest.mark.parametrize("options", [{}, {"rsa_padding": padding.PSS(padding.MGF1(hashes.SHA256()), 32)}])
def test_rsa_signatures_of_both_kinds(options: dict[str, padding.AsymmetricPadding]) -> None:
    holder = authority().entity(of="rsa")
    assert codes(holder.signed(CONTENT, **options)) == []
    assert codes(holder.signed(CONTENT + b"x", **options)) == ["FIR004"]


def test_what_is_inside_its_signature_is_read_as_the_file_it_is() -> None:
    signature = authority().entity().signed(CONTENT, detached=False)
    assert codes(signature, how=ENVELOPED) == []
    received = Received("g", NAME, signature, NOW, None, signed=ENVELOPED)
    examined = pipeline.examine(received, shelf(), Limits())
    assert examined.sound
    assert examined.received.content == CONTENT
    assert (examined.received.sha256, examined.received.size) == (received.sha256, len(signature))


def other(kind: str) -> bytes:
    """A signature with one thing wrong, for each code that a certificate or a structure can get."""
    known = authority()
    holder = known.entity()
    good = holder.signed(CONTENT)
    wrong: dict[str, Callable[[], bytes]] = {
        "another file": lambda: holder.signed(CONTENT + b"\n"),
        "touched": lambda: good[:-4] + bytes([good[-4] ^ 1]) + good[-3:],
        "not one": lambda: b"2|1|CC|1090000001",
        "empty": lambda: b"",
        "cut": lambda: good[: len(good) // 2],
        "more behind": lambda: good + b"more",
        "nobody signs": lambda: retouched(good, lambda data: data.__setitem__("signer_infos", [])),
        "two sign": lambda: retouched(good, lambda data: data["signer_infos"].append(data["signer_infos"][0])),
        "no certificate": lambda: retouched(good, lambda data: data.__setitem__("certificates", [])),
        "expired": lambda: known.entity(until=NOW - DAY).signed(CONTENT),
        "not yet": lambda: known.entity(since=NOW + DAY).signed(CONTENT),
        "unknown": lambda: Authority.new("AC DESCONOCIDA").entity().signed(CONTENT),
        "own": lambda: made(name("YO MISMO", nit="900123456")).signed(CONTENT),
        "not for signing": lambda: known.entity(signs=False).signed(CONTENT),
        "issued by no authority": lambda: made(name("X", nit="900123456"), holder).signed(CONTENT),
        "other entity": lambda: known.entity(nit="900654321-1").signed(CONTENT),
        "no entity": lambda: made(name("SIN NIT"), known.middle).signed(CONTENT),
        "short key": lambda: known.entity(of="short").signed(CONTENT),
    }
    return wrong[kind]()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("another file", ["FIR004"]),
        ("touched", ["FIR004"]),
        ("not one", ["FIR003"]),
        ("empty", ["FIR003"]),
        ("cut", ["FIR003"]),
        ("more behind", ["FIR003"]),
        ("nobody signs", ["FIR003"]),
        ("two sign", ["FIR003"]),
        ("no certificate", ["FIR003"]),
        ("expired", ["FIR005"]),
        ("not yet", ["FIR006"]),
        ("unknown", ["FIR008"]),
        ("own", ["FIR008"]),
        ("not for signing", ["FIR008"]),
        ("issued by no authority", ["FIR008"]),
        ("other entity", ["FIR009"]),
        ("no entity", ["FIR009"]),
        ("short key", ["FIR010"]),
    ],
)
def test_each_fault_has_its_code(kind: str, expected: list[str]) -> None:
    assert codes(other(kind)) == expected


def test_a_file_signed_as_text_is_told_apart_from_a_changed_one() -> None:
    lines = CONTENT.replace(b"\r\n", b"\n")
    signature = authority().entity().as_text(lines)
    received = Received("g", NAME, lines, NOW, None, signed=DETACHED, signature=signature)
    (finding,) = pipeline.examine(received, shelf(), Limits(), trusting()).findings.where("error")
    assert finding.code == "FIR004"
    assert "se firmó como texto" in str(finding.details)
    assert codes(signature, CONTENT) == []  # the very lines that it signs


def test_a_weak_digest_is_told() -> None:
    def weaken(data: object) -> None:
        data["signer_infos"][0]["digest_algorithm"]["algorithm"] = "sha1"  # type: ignore[index]  # a structure

    assert codes(retouched(authority().entity().signed(CONTENT), weaken)) == ["FIR010"]


def test_attributes_may_not_be_left_out_to_sign_something_else() -> None:
    """Bytes that are the signed attributes of a good signature must not pass as a file that was signed."""
    holder = authority().entity(of="rsa")
    assert codes(without_attributes(holder, CONTENT)) == []
    assert codes(without_attributes(holder, CONTENT + b"x")) == ["FIR004"]


def test_revocation() -> None:
    known = authority()
    holder, rest = known.entity(), revocations(known.root)
    signature = holder.signed(CONTENT)
    assert codes(signature, trust=trusting(rest, revocations(known.middle, holder))) == ["FIR007"]
    assert codes(signature, trust=trusting(rest, revocations(known.middle, holder, at=NOW + DAY / 2))) == []
    middle = revocations(known.root, known.middle)
    assert codes(signature, trust=trusting(middle, revocations(known.middle))) == ["FIR007"]
    assert codes(signature, trust=trusting(rest)) == ["FIR011"]
    old = revocations(known.middle, until=NOW - timedelta(hours=1))
    assert codes(signature, trust=trusting(rest, old)) == ["FIR011"]
    assert codes(signature, trust=trusting(rest, old, revocations(known.middle))) == []
    forged = revocations(known.middle, signer=holder.key)
    assert codes(signature, trust=trusting(rest, forged)) == ["FIR011"]
    revoked_once = revocations(known.middle, holder, until=NOW - timedelta(hours=1), at=NOW - 3 * DAY)
    assert codes(signature, trust=trusting(rest, revoked_once)) == ["FIR007"]


def test_warnings_block_nothing() -> None:
    received = Received("g", NAME, CONTENT, NOW, None)
    examined = pipeline.examine(received, shelf(), Limits(), trusting(required=False))
    assert [(finding.code, finding.severity) for finding in examined.findings] == [("FIR001", "advertencia")]
    assert examined.sound
    assert not pipeline.examine(received, shelf(), Limits(), trusting()).sound


@given(place=st.integers(0, 10_000), sign=st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_no_changed_byte_of_a_signature_raises_or_passes_another_content(place: int, sign: int) -> None:
    signature = bytearray(authority().entity(of="rsa").signed(CONTENT))
    signature[place % len(signature)] ^= sign
    assert codes(bytes(signature), CONTENT + b"x")


def test_the_folder_tells_what_is_missing_and_holds_files_back_where_signatures_are_required(tmp_path: Path) -> None:
    known = authority()
    required = TrustFolder(tmp_path, required=True)
    assert required.troubles(NOW) == ["no hay certificados raíz"]
    known.install(tmp_path)
    assert required(NOW).roots
    with pytest.raises(UnavailableError, match="vencida la lista de revocación de AC FICTICIA RAIZ"):
        required(NOW + 2 * DAY)
    assert TrustFolder(tmp_path, required=False)(NOW + 2 * DAY).lists
    known.install(
        tmp_path, revocations(known.root, until=NOW + 9 * DAY), revocations(known.middle, until=NOW + 9 * DAY)
    )
    assert len(required(NOW + 2 * DAY).lists) == 2
    (tmp_path / "listas/1.crl").unlink()
    assert required.troubles(NOW) == ["falta la lista de revocación de AC FICTICIA SUB"]
    (tmp_path / "raices/x.pem").write_bytes(b"-----BEGIN nada")
    with pytest.raises(ValueError, match=r"raices/x\.pem no es"):
        required.troubles(NOW)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no OpenSSL on this machine")
@pytest.mark.parametrize("form", ["DER", "PEM"])
@pytest.mark.parametrize("streamed", [False, True])
def test_what_openssl_signs_is_read(tmp_path: Path, form: str, *, streamed: bool) -> None:
    holder = authority().entity()
    for file, content in (("c.pem", holder.pem), ("k.pem", key_pem(holder)), ("f", CONTENT)):
        (tmp_path / file).write_bytes(content)
    order = ["openssl", "cms", "-sign", "-binary", "-signer", "c.pem", "-inkey", "k.pem", "-in", "f", "-outform", form]
    more = ["-nodetach", "-stream"] if streamed else []
    made_by = subprocess.run([*order, *more], cwd=tmp_path, capture_output=True, check=True)
    assert codes(made_by.stdout, how=ENVELOPED if streamed else DETACHED) == []
