"""An attacker who runs the database, and has disabled its triggers: what he leaves behind tells."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from bot import audit, ledger, merkle, notes, sealing
from bot import database as bot_database
from bot.notes import Checkpoint, NoteError, Signer
from deploy.commands.ledger import app

NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
SIGNER = Signer.new("police.example/ledger")
WITNESS = Signer.new("witness.example")
STREAMS = ("search:LG-1", "search:LG-2")


async def say(pool, count):
    async with pool.acquire() as conn:
        for number in range(count):
            private = {"case_number": f"2026-{number}"} if number % 3 == 0 else None
            data = {"number": number}
            await ledger.append(conn, STREAMS[number % 2], "Asked", at=NOON, actor="dana", data=data, private=private)


async def seal(database, signer=SIGNER):
    async with bot_database.alone(database.url("sealer"), name="test-sealer") as conn:
        tree = await sealing.load(conn, signer.verifier)
        await sealing.Sealer("", signer).step(conn, tree)


@pytest.fixture
async def attacker(superuser):
    """The database's superuser, once the law of the house is switched off."""
    for table in ("entry", "leaf", "checkpoint", "private", "unsealed"):
        await superuser.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL")
    return superuser


@pytest.fixture
async def log(database, pool):
    """Entries 1 to 12 sealed four at a time, entry 13 not yet."""
    for _ in range(3):
        await say(pool, 4)
        await seal(database)
    await say(pool, 1)
    return database


async def faults(database, witnessed=()):
    async with bot_database.alone(database.url("auditor"), name="test") as conn:
        report = await audit.verify(conn, SIGNER.verifier, witnessed)
    return [str(fault) for fault in report.faults]


CHANGE = "convert_to(replace(convert_from(entry, 'UTF8'), '\"dana\"', '\"sam\"'), 'UTF8')"
LEAF_TOO = "UPDATE ledger.leaf SET leaf_hash = (SELECT leaf_hash FROM ledger.entry WHERE entry.n = leaf.n)"
CUT = """
DELETE FROM ledger.private WHERE n > 8; DELETE FROM ledger.leaf WHERE n > 8; DELETE FROM ledger.unsealed;
DELETE FROM ledger.entry WHERE n > 8
"""
SWAP = """
UPDATE ledger.leaf SET n = 99, leaf_index = 99 WHERE n = 5; UPDATE ledger.leaf SET leaf_index = 4 WHERE n = 6;
UPDATE ledger.leaf SET n = 5, leaf_index = 5 WHERE n = 99
"""

ATTACKS = {
    "an entry is edited": (
        f"UPDATE ledger.entry SET entry = {CHANGE} WHERE n = 5",
        "Entry 5 (search:LG-1 #3): its text is not what was sealed: it was changed afterwards.",
    ),
    "an entry and its leaf are edited": (
        f"UPDATE ledger.entry SET entry = {CHANGE} WHERE n = 5; {LEAF_TOO} WHERE n = 5",
        "Entry 7 (search:LG-1 #4): it does not follow the entry before it: one of the two was replaced.",
    ),
    "the last entry of a stream and its leaf are edited": (
        f"UPDATE ledger.entry SET entry = {CHANGE} WHERE n = 12; {LEAF_TOO} WHERE n = 12",
        "One of the entries 9 to 12 is not what was signed: it was replaced, or its place was.",
    ),
    "an entry's columns are edited": (
        "UPDATE ledger.entry SET kind = 'Approved' WHERE n = 6",
        "Entry 6 (search:LG-2 #3): its columns do not say what its text says.",
    ),
    "an entry is deleted": (
        "DELETE FROM ledger.private WHERE n = 5; DELETE FROM ledger.entry WHERE n = 5",
        "Entry 5: it was sealed, and is gone.",
    ),
    "an entry and its leaf are deleted": (
        "DELETE FROM ledger.leaf WHERE n = 6; DELETE FROM ledger.entry WHERE n = 6",
        "Entry 8 (search:LG-2 #4): #3 is missing before it.",
    ),
    "two entries change places in the tree": (
        SWAP,
        "One of the entries 6 to 8 is not what was signed: it was replaced, or its place was.",
    ),
    "the end of the log is cut off": (
        CUT,
        "A checkpoint was signed over 12 entries, and 8 are left: the log was cut off there.",
    ),
    "an entry never gets to the sealer": (
        "DELETE FROM ledger.unsealed",
        "Entry 13 (search:LG-1 #7): it was never handed to the sealer.",
    ),
    "a checkpoint is edited": (
        "UPDATE ledger.checkpoint SET root = sha256('x') WHERE tree_size = 8",
        "The checkpoint over 8 entries does not say what was signed.",
    ),
    "a checkpoint is forged": (
        "UPDATE ledger.checkpoint SET note = replace(note, E'\\n8\\n', E'\\n9\\n') WHERE tree_size = 8",
        "The checkpoint over 8 entries does not hold: The signature by police.example/ledger does not fit the note.",
    ),
    "all checkpoints are deleted": (
        "DELETE FROM ledger.checkpoint",
        "The last checkpoint is over 0 entries, but 12 were sealed.",
    ),
    "a private field is edited": (
        "UPDATE ledger.private SET value = '\"2026-999\"' WHERE n = 5",
        "Entry 5 (search:LG-1 #3): its private field case_number is not what was committed to: it was changed afterwards.",
    ),
    "a private field is made up": (
        "INSERT INTO ledger.private SELECT 6, field, salt, value FROM ledger.private WHERE n = 5",
        "Entry 6 (search:LG-2 #3): its private field case_number is not what was committed to: it was changed afterwards.",
    ),
}


@pytest.mark.parametrize("story", ATTACKS)
async def test_the_first_entry_that_does_not_hold_is_named(log, attacker, story):
    attack, said = ATTACKS[story]
    assert await faults(log) == []
    await attacker.execute(attack)
    assert (await faults(log))[0] == said


async def cut_back_to_eight(attacker):
    await attacker.execute(f"{CUT}; DELETE FROM ledger.checkpoint WHERE tree_size > 8")


async def rewrite_with_the_key(attacker, pool, database):
    """The whole log anew, with the stolen signing key."""
    await attacker.execute("TRUNCATE ledger.entry, ledger.leaf, ledger.unsealed, ledger.private, ledger.checkpoint")
    await attacker.execute("ALTER TABLE ledger.entry ENABLE TRIGGER ALL")
    await say(pool, 12)
    await seal(database)


async def witnessed(database):
    async with bot_database.alone(database.url("auditor"), name="test") as conn:
        _, seen = await audit.consistent(conn, SIGNER.verifier, None)
    return seen


async def look_again(database, seen):
    async with bot_database.alone(database.url("auditor"), name="test") as conn:
        return await audit.consistent(conn, SIGNER.verifier, seen)


async def test_only_a_witness_tells_of_a_log_put_back_to_an_earlier_day(log, attacker):
    seen = await witnessed(log)
    await cut_back_to_eight(attacker)
    assert await faults(log) == []
    assert await faults(log, [seen]) == ["A witness has seen 12 entries, and 8 are left: the log was cut off there."]
    with pytest.raises(audit.LogCutError, match="its end was cut off"):
        await look_again(log, seen)


async def test_only_a_witness_tells_of_a_log_rewritten_with_the_stolen_key(log, attacker, pool):
    seen = await witnessed(log)
    await rewrite_with_the_key(attacker, pool, log)
    assert await faults(log) == []
    said = ["A witness has seen other entries among the first 12: the log was rewritten."]
    assert await faults(log, [seen]) == said
    with pytest.raises(audit.LogCutError, match="the log was rewritten"):
        await look_again(log, seen)


async def test_a_witness_who_has_seen_something_is_not_satisfied_with_nothing(log, attacker):
    seen = await witnessed(log)
    await attacker.execute("TRUNCATE ledger.entry, ledger.leaf, ledger.unsealed, ledger.private, ledger.checkpoint")
    with pytest.raises(audit.LogCutError, match="no checkpoint at all"):
        await look_again(log, seen)
    assert await look_again(log, None) is None


async def test_a_witness_goes_along_with_a_log_that_only_grew(log, pool):
    seen = await witnessed(log)
    await say(pool, 4)
    await seal(log)
    _, now = await look_again(log, seen)
    assert (seen.size, now.size) == (12, 17)


async def test_erasing_what_is_private_breaks_nothing(log, pool):
    before = await witnessed(log)
    async with pool.acquire() as conn:
        assert await ledger.erase(conn, STREAMS[0], at=NOON, actor="system", why="retention") > 0
    await seal(log)
    assert await faults(log, [before]) == []


# --- the same at the command line ------------------------------------------------------------------------------------


async def cli(*arguments):
    return await asyncio.to_thread(CliRunner().invoke, app, [str(one) for one in arguments])


async def test_verify_says_what_was_checked_and_what_was_not(log):
    done = await cli("verify", "--url", log.url("auditor"), "--vkey", SIGNER.verifier)
    assert done.exit_code == 0
    assert "The ledger holds: 13 entries, 12 of them sealed under 3 checkpoints, 7 private fields open." in done.output
    assert "Nothing kept elsewhere was compared" in done.output
    done = await cli("verify", "--url", log.url("auditor"))
    assert "Signatures were not checked" in done.output


async def test_verify_ends_with_one_and_the_first_entry(log, attacker):
    await attacker.execute(ATTACKS["an entry is edited"][0])
    done = await cli("verify", "--url", log.url("auditor"), "--vkey", SIGNER.verifier)
    assert done.exit_code == 1
    assert done.output.startswith("Entry 5 (search:LG-1 #3): its text is not what was sealed")
    assert "The ledger does not hold." in done.output


async def test_verify_without_a_database_says_what_to_do(database):
    done = await cli("verify", "--url", "postgresql://nobody@127.0.0.1:1/none")
    assert done.exit_code == 2
    assert "the database does not answer" in done.output
    done = await cli("verify", "--url", database.url("auditor"), "--vkey", "rubbish")
    assert done.exit_code == 2


async def test_a_key_is_made_once_and_shown_never(tmp_path):
    done = await cli("key", "police.example/ledger", tmp_path / "key")
    signer = Signer.read((tmp_path / "key").read_text())
    assert str(signer.verifier) in done.output
    assert signer.secret not in done.output
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    again = await cli("key", "police.example/ledger", tmp_path / "key")
    assert (again.exit_code, Signer.read((tmp_path / "key").read_text()).secret) == (2, signer.secret)


async def test_a_disclosure_can_be_checked_without_us(log, tmp_path):
    done = await cli("proof", "--url", log.url("auditor"), "--directory", tmp_path, "--stream", STREAMS[1], "5")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.glob("*.json") if "private" not in path.name) == [
        "10.json", "12.json", "2.json", "4.json", "5.json", "6.json", "8.json",
    ]  # fmt: skip
    proof = notes.Proof.read((tmp_path / "5.tlog-proof").read_text())
    signed = notes.checkpoint(proof.note, SIGNER.verifier)
    entry = (tmp_path / "5.json").read_bytes()
    assert merkle.includes(proof.index, signed.size, merkle.leaf(entry), proof.hashes, signed.root)
    opening = json.loads((tmp_path / "5.private.json").read_text())["case_number"]
    commitment = ledger.commitment(bytes.fromhex(opening["salt"]), opening["value"].encode())
    assert json.loads(entry)["private"]["case_number"] == commitment
    done = await cli("proof", "--url", log.url("auditor"), "--directory", tmp_path, "13")
    assert (done.exit_code, "Entry 13 is not in the signed log." in done.output) == (2, True)


async def test_the_exported_log_is_the_log(log, tmp_path):
    done = await cli("export", "--url", log.url("auditor"), "--vkey", SIGNER.verifier, tmp_path / "log")
    assert done.exit_code == 0, done.output
    log_directory = tmp_path / "log"
    signed = notes.checkpoint((log_directory / "checkpoint").read_text(), SIGNER.verifier)
    bundle = (log_directory / "tile/entries/000.p/12").read_bytes()
    tree = merkle.Tree()
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        tree.append(merkle.leaf(bundle[2 : 2 + length]))
        bundle = bundle[2 + length :]
    assert (tree.size, tree.root()) == (signed.size, signed.root)
    for file in (log_directory / "checkpoints").iterdir():
        older = notes.checkpoint(file.read_text(), SIGNER.verifier)
        assert tree.root(older.size) == older.root
    assert len(list((log_directory / "checkpoints").iterdir())) == 3


async def test_the_witness_remembers_before_it_signs(log, attacker, tmp_path):
    key, state = tmp_path / "witness.key", tmp_path / "seen"
    key.write_text(WITNESS.secret)
    look = ("witness", "--url", log.url("auditor"), "--vkey", SIGNER.verifier, "--key-file", key, "--state", state)
    done = await cli(*look)
    assert (done.exit_code, "12 entries, 12 of them new" in done.output) == (0, True)
    cosigned = (tmp_path / "seen.cosigned").read_text()
    _, signed = notes.opened(cosigned, [SIGNER.verifier, WITNESS.cosigner])
    assert signed == {SIGNER.verifier, WITNESS.cosigner}
    assert "0 of them new" in (await cli(*look)).output

    before = (tmp_path / "seen.cosigned").read_text()
    await cut_back_to_eight(attacker)
    done = await cli(*look)
    assert (done.exit_code, "its end was cut off" in done.output) == (1, True)
    assert (tmp_path / "seen.cosigned").read_text() == before
    assert notes.checkpoint(state.read_text(), SIGNER.verifier).size == 12
    verified = await cli("verify", "--url", log.url("auditor"), "--witnessed", state, "--vkey", SIGNER.verifier)
    assert (verified.exit_code, "A witness has seen 12 entries" in verified.output) == (1, True)


async def test_a_witness_does_not_take_a_strangers_log(log, tmp_path):
    async with bot_database.alone(log.url("auditor"), name="test") as conn:
        with pytest.raises(NoteError):
            await audit.consistent(conn, Signer.new("police.example/ledger").verifier, None)
        with pytest.raises(audit.LogCutError):
            await audit.consistent(conn, SIGNER.verifier, Checkpoint("police.example/ledger", 3, bytes(32)))
