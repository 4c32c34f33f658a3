"""Mugshots as agencies export them: files of somebody else's writer (nistitl), and what no writer should write.

Beside these, every sample transaction that NIST publishes with NBIS and BioCTS was read by hand: 28 files, records of
types 1 to 21, 98 and 99, seven face images, one of them with its own SHA-256 (10.996).
"""

import hashlib
import io
import json
from datetime import date
from pathlib import Path

import nistitl
import pytest
from PIL import Image

from deploy import type10
from deploy.itl import FS, GS, ItlError, transactions
from deploy.type10 import Said
from matcher import gallery
from tests.matcher.conftest import CAST, cast

TODAY = date(2026, 3, 20)
ARREST = Said("arrest", TODAY)
MUGSHOT = (CAST / cast("gallery")[0]["photo"]).read_bytes()
EBTS = {9: "OCA-9", 15: "NY123", 18: "DOE,JANE", 22: "19900115", 24: "F", 27: "510", 29: "150"}
FACE = {3: "FACE", 4: "NY0303000", 5: "20240229", 6: "480", 7: "600", 8: "1", 11: "JPEGB", 12: "SRGB", 20: "F"}


def binary(kind: int, size: int = 40) -> nistitl.BinaryRecord:
    """A fingerprint, as those stand between a mugshot's records: bytes, some of them separators."""
    record = nistitl.BinaryRecord(kind)
    record.IDC = 3
    record.value = (FS + GS + b"10.001:5") * (size // 10)
    return record


def tagged(kind: int, fields: dict, data: bytes | None = None, idc: int = 1) -> nistitl.AsciiRecord:
    record = nistitl.AsciiRecord(kind)
    record.IDC = idc
    for number, value in fields.items():
        record += nistitl.Field(kind, number, value)
    if data is not None:
        record += nistitl.BinaryField(kind, 999, data)
    return record


def transaction(*faces: dict, two: dict | None = EBTS, data: bytes = MUGSHOT, between=(), control="TCN-77") -> bytes:
    """A whole transaction, written by nistitl."""
    message = nistitl.Message()
    message.TOT, message[0].TCN, message[0].ORI = "MUG", control, "NYPD00000"
    if two is not None:
        message += tagged(2, two, idc=0)
    for other in between:
        message += other
    for n, face in enumerate(faces or ({},), start=1):
        message += tagged(10, FACE | face, data, idc=n)
    return message.NIST


def unpacked(tmp_path, data: bytes, said: Said = ARREST, **more) -> tuple[type10.Report, list[dict]]:
    file, into = tmp_path / "mug.an2", tmp_path / "unpacked"
    file.write_bytes(data)
    report = type10.unpack(file, into, said, **more)
    manifest = into / "manifest.jsonl"
    return report, [json.loads(line) for line in manifest.read_text().splitlines()] if into.exists() else []


async def test_a_mugshot_is_enrolled_with_what_the_file_says_of_it(tmp_path, enrol, conn):
    report, (line,) = unpacked(tmp_path, transaction(between=[binary(4, 400), binary(7)]))
    assert (report.lines, report.wrong) == (1, [])
    told = await enrol(tmp_path / "unpacked" / "manifest.jsonl")
    assert told.done == 1
    facts = await gallery.person(conn, "NY123", frozenset({"arrest"}))
    (photo,) = facts.photos
    assert (photo.agency, photo.arrest_id, photo.taken_on.isoformat()) == ("NY0303000", "OCA-9", "2024-02-29")
    assert (facts.name, facts.sex, facts.birth_year) == ("DOE,JANE", "F", 1990)
    assert (facts.height_cm, facts.weight_kg) == (pytest.approx(177.8), pytest.approx(68.0))
    assert line["from_sha256"] == hashlib.sha256(MUGSHOT).hexdigest()


def test_several_transactions_and_several_images_in_one_file_are_all_there(tmp_path):
    one = transaction({}, {5: "20230101"})
    other = transaction(two=EBTS | {15: "NY999"}, control="TCN-78")
    _, lines = unpacked(tmp_path, one + other)
    assert [(line["person"], line["photo_date"]) for line in lines] == [
        ("NY123", "2024-02-29"),
        ("NY123", "2023-01-01"),
        ("NY999", "2024-02-29"),
    ]
    assert len({line["photo"] for line in lines}) == 3


def test_profiles_scars_and_tattoos_are_left_out_and_counted(tmp_path):
    report, lines = unpacked(tmp_path, transaction({}, {20: "L"}, {20: "R"}, {3: "TATTOO"}, {3: "SCAR"}, {20: "A"}))
    assert len(lines) == 2
    assert {what: count for what, count in report.noted.items() if count} == {
        "in profile": 2,
        "of tattoo": 1,
        "of scar": 1,
    }


def encoded(form: str, **more) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(MUGSHOT)).save(out, form, **more)
    return out.getvalue()


def test_jpeg_2000_png_and_raw_pixels_become_photographs_of_the_same_pixels(tmp_path):
    plain = Image.open(io.BytesIO(MUGSHOT)).convert("RGB")
    raw = {6: str(plain.width), 7: str(plain.height), 11: "NONE"}
    for n, (said, data) in enumerate([
        ({11: "JP2L"}, encoded("JPEG2000", irreversible=False)),
        ({11: "PNG"}, encoded("PNG")),
        (raw, plain.tobytes()),
        ({11: "JPEGB"}, encoded("PNG")),  # it is not what the record says: the bytes count
    ]):  # fmt: skip
        folder = tmp_path / str(n)
        folder.mkdir()
        _, (line,) = unpacked(folder, transaction(said, data=data))
        with Image.open(folder / "unpacked" / line["photo"]) as got:
            assert (got.format, got.convert("RGB").tobytes()) == ("PNG", plain.tobytes())
        assert line["from_sha256"] == hashlib.sha256(data).hexdigest()


def test_whoever_was_under_18_is_marked_as_a_juvenile(tmp_path):
    _, (before,) = unpacked(tmp_path, transaction(two=EBTS | {22: "20060301"}))  # 18 tomorrow
    (tmp_path / "b").mkdir()
    _, (after,) = unpacked(tmp_path / "b", transaction(two=EBTS | {22: "20060229"[:6] + "28"}))
    assert (before["juvenile"], after["juvenile"]) == (True, False)


def test_a_person_is_as_young_as_the_date_of_birth_allows(tmp_path):
    """Of 2006 the year alone is known: on 29 February 2024 they may have been 17."""
    for name, born, expected in (("a", "20060000", True), ("b", "20050000", False), ("c", "2006-02-28", False)):
        (tmp_path / name).mkdir()
        _, (line,) = unpacked(tmp_path / name, transaction(two=EBTS | {22: born}))
        assert line["juvenile"] is expected, born


def test_whoever_has_no_date_of_birth_is_imported_on_the_agencys_word_alone(tmp_path):
    two = {number: value for number, value in EBTS.items() if number != 22}
    for born in ({}, {22: "00000000"}, {22: "UNKNOWN"}):
        report, lines = unpacked(tmp_path, transaction(two=two | born))
        assert (lines, "nobody knows whether of age" in report.wrong[0][1]) == ([], True)
    _, (line,) = unpacked(tmp_path, transaction(two=two), Said("arrest", TODAY, of_age=True))
    assert line["juvenile"] is False


def test_a_height_in_other_digits_than_ours_is_no_height(tmp_path):
    _, (line,) = unpacked(tmp_path, transaction(two=EBTS | {27: "6²²"}))
    assert "height_cm" not in line


def test_a_class_of_photographs_that_no_pack_can_name_is_refused_at_once(tmp_path):
    with pytest.raises(type10.Type10Error, match="no class of photographs"):
        unpacked(tmp_path, transaction(), Said("Arrest Photos!", TODAY))


def test_the_operator_says_which_field_names_the_person(tmp_path):
    two = {59: "P-1234", 18: "DOE,JOHN"}
    report, lines = unpacked(tmp_path, transaction(two=two))
    assert lines == []
    assert "Nothing says whose it is (2.015, 2.014, 2.009)" in report.wrong[0][1]
    _, (line,) = unpacked(tmp_path, transaction(two=two), Said("arrest", TODAY, person_field=59, of_age=True))
    assert (line["person"], line["arrest_id"]) == ("P-1234", "TCN-77")
    (tmp_path / "b").mkdir()
    _, (line,) = unpacked(
        tmp_path / "b", transaction(two=None), Said("arrest", TODAY, by_transaction=True, of_age=True)
    )
    assert line["person"] == "TCN-77"


@pytest.mark.parametrize(
    ("height", "weight", "metric"),
    [
        ("N71", "000", (180.3, None)),
        ("600", "499", (182.9, 226.3)),
        ("000", "abc", (None, None)),
        ("6", "1", (None, None)),
    ],
)
def test_height_and_weight_are_read_where_they_say_something(tmp_path, height, weight, metric):
    _, (line,) = unpacked(tmp_path, transaction(two=EBTS | {27: height, 29: weight}))
    assert (line.get("height_cm"), line.get("weight_kg")) == metric


def test_agencies_own_fields_old_field_numbers_and_a_field_before_the_image_are_read(tmp_path):
    """Two digits after the dot are the standard's of 1993; a field 999 before the image is in NBIS's own samples."""
    data = transaction({200: "USER DEFINED", 903: "M2"}).replace(b"1.003:", b"1.03:", 1).replace(b"1.009:", b"1.09:", 1)
    ten = data.index(b"10.001:")
    data = data[:ten] + data[ten:].replace(b"\x1d10.999:", b"\x1d10.999:010110\x1d10.999:", 1)
    _, (line,) = unpacked(tmp_path, relengthed(data))
    assert line["from_sha256"] == hashlib.sha256(MUGSHOT).hexdigest()


def relengthed(data: bytes) -> bytes:
    """The lengths of the first and the last record made right again, after the bytes were changed by hand."""
    first = data.index(FS) + 1
    last = data.index(b"10.001:")
    return _with_length(data[:first], b"1.001:") + data[first:last] + _with_length(data[last:], b"10.001:")


def _with_length(record: bytes, tag: bytes) -> bytes:
    rest = record[record.index(GS) :]
    length = len(rest) + len(tag)
    while len(tag + str(length).encode() + rest) != length:
        length = len(tag + str(length).encode() + rest)
    return tag + str(length).encode() + rest


def test_an_image_that_is_not_the_one_the_record_hashed_is_refused(tmp_path):
    right = transaction({996: hashlib.sha256(MUGSHOT).hexdigest().upper()})
    assert unpacked(tmp_path, right)[0].wrong == []
    (tmp_path / "b").mkdir()
    report, _ = unpacked(tmp_path / "b", transaction({996: "0" * 64}))
    assert "10.996" in report.wrong[0][1]


WHOLE = transaction()
TEN = WHOLE.index(b"10.001:")
WRONG = {
    "nothing at all": (b"", "empty"),
    "a photograph": (MUGSHOT, "length field"),
    "cut short": (WHOLE[:-10], "bytes are left|are left"),
    "a record that is not there": (WHOLE[:TEN], "cut short"),
    "a length too small": (WHOLE[:TEN] + WHOLE[TEN:].replace(b"10.001:", b"10.001:9", 1)[: len(WHOLE)], "are left"),
    "a length that ends elsewhere": (
        WHOLE[:TEN] + b"10.001:%d" % (len(WHOLE) - TEN - 5) + WHOLE[WHOLE.index(GS, TEN) :],
        "does not end where its length says",
    ),
    "another record than listed": (WHOLE.replace(b"\x1e10\x1f", b"\x1e13\x1f", 1), "names a Type-13"),
    "no list of contents": (WHOLE.replace(b"1.003:1\x1f2", b"1.003:1\x1fx", 1), "1.003, cannot be read"),
    "a list that counts wrong": (WHOLE.replace(b"1.003:1\x1f2", b"1.003:1\x1f7", 1), "counts 7 records and names 2"),
    "a field without a number": (WHOLE.replace(b"10.003:", b"10.0x3:", 1), "without a number"),
    "no date": (transaction({5: "yesterday"}), "not a date"),
    "a date that there was not": (transaction({5: "20230229"}), "not a date"),
    "of a day to come": (transaction({5: "20270101"}), "still to come"),
    "before the birth": (transaction({5: "19890101"}), "before the person was born"),
    "a fingerprint's compression": (transaction({11: "WSQ20"}, data=b"\xff\xa0\xff\xa4"), "10.011 says WSQ20"),
    "no image": (transaction(data=b""), "no image"),
    "raw pixels that are too few": (transaction({11: "NONE"}, data=b"123"), "not those of 480 x 600"),
    "raw pixels without a size": (transaction({11: "NONE", 6: "many"}, data=b"123"), "not a number of pixels"),
    "JPEG 2000 cut short": (transaction({11: "JP2"}, data=encoded("JPEG2000")[:200]), "damaged"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_imported_is_said_and_nothing_is_written(tmp_path, case):
    data, said = WRONG[case]
    report, lines = unpacked(tmp_path, data)
    assert lines == []
    ((name, why),) = report.wrong
    assert name == "mug.an2"
    assert any(part in why for part in said.split("|")), why
    assert [path.name for path in tmp_path.iterdir()] == ["mug.an2"]


def test_of_a_folder_everything_that_is_wrong_is_named_and_the_rest_is_taken_where_that_is_asked(tmp_path):
    export = tmp_path / "export" / "monday"
    export.mkdir(parents=True)
    (export / "a.an2").write_bytes(WHOLE)
    (export / "b.an2").write_bytes(WHOLE[:-9])
    (export.parent / "c.an2").write_bytes(transaction({5: "?"}, {}))
    into = tmp_path / "into"
    report = type10.unpack(tmp_path / "export", into, ARREST)
    assert (report.lines, [name for name, _ in report.wrong]) == (2, ["c.an2", str(Path("monday") / "b.an2")])
    assert not into.exists()
    report = type10.unpack(tmp_path / "export", into, ARREST, leave_out_wrong=True)
    assert len((into / "manifest.jsonl").read_text().splitlines()) == report.lines == 2
    with pytest.raises(type10.Type10Error, match="there already"):
        type10.unpack(tmp_path / "export", into, ARREST)


def test_what_we_read_is_what_the_other_reader_reads():
    data = transaction({}, {20: "L"}, between=[binary(4, 80)])
    (ours,) = transactions(data)
    theirs = nistitl.Message()
    theirs.parse(data)
    assert [record.kind for record in ours] == [record.type for record in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        if mine.kind in {2, 10}:
            assert mine.fields[999] == other[999].value if mine.kind == 10 else mine.text(18) == other[18].value


def test_no_bytes_whatever_break_the_reader():
    """Every prefix of a transaction, and every one with a byte changed, is read or refused with a sentence."""
    said = set()
    short = transaction(data=b"\xff\xd8\xff" + bytes(40), between=[binary(4)])
    for at in range(len(short)):
        for data in (short[:at], short[:at] + bytes([short[at] ^ 0x15]) + short[at + 1 :]):
            try:
                list(transactions(data))
            except ItlError as error:
                said.add(str(error))
    assert len(said) > 20
    assert all(sentence.endswith(".") for sentence in said)
