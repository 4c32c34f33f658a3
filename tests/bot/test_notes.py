"""Signed notes: who signed what can be checked, by others' software too."""

import base64
import json
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint
from sigstore.errors import VerificationError

from bot import merkle, notes
from bot.notes import Checkpoint, NoteError, Proof, Signer, Verifier

# golang.org/x/mod/sumdb/note, example_test.go: a key pair, a text and its note.
GO_SIGNING_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_go_signs_the_same_text_with_the_same_signature():
    text = GO_NOTE.partition("\n\n")[0] + "\n"
    signer = Signer.read(GO_SIGNING_KEY)
    assert signer.sign(text) == GO_NOTE
    assert str(signer.verifier) == GO_VERIFIER_KEY
    assert notes.opened(GO_NOTE, [Verifier.read(GO_VERIFIER_KEY)]) == (text, frozenset({signer.verifier}))


def test_keys_are_written_and_read():
    signer = Signer.new("leadgate.example.org/ledger")
    again = Signer.read(signer.secret + "\n")
    assert again.secret == signer.secret
    assert Verifier.read(str(signer.verifier)) == signer.verifier
    assert Verifier.read(str(signer.cosigner)) == signer.cosigner
    assert "PRIVATE" not in repr(signer)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
def test_a_signer_has_a_plain_name(name):
    with pytest.raises(NoteError):
        Signer.new(name)


SIGNER, WITNESS = Signer.new("log.example"), Signer.new("witness.example")
CHECKPOINT = Checkpoint("log.example", 7, bytes(range(32)))
NOTE = SIGNER.sign(str(CHECKPOINT))


def test_a_checkpoint_is_read_as_it_was_signed():
    assert notes.checkpoint(NOTE, SIGNER.verifier) == CHECKPOINT
    assert str(CHECKPOINT).split("\n")[:2] == ["log.example", "7"]


def test_a_witness_adds_the_time_it_saw_the_checkpoint():
    both = WITNESS.cosign(NOTE, 1_700_000_000)
    _, signed = notes.opened(both, [SIGNER.verifier, WITNESS.cosigner])
    assert signed == {SIGNER.verifier, WITNESS.cosigner}
    with pytest.raises(NoteError, match=r"witness\.example does not fit"):
        notes.opened(both.replace("log.example\n7", "log.example\n8"), [WITNESS.cosigner])
    assert WITNESS.cosign(NOTE, 1_700_000_001) != both


def test_nobody_elses_signature_will_do():
    stranger = Signer.new("log.example")
    with pytest.raises(NoteError, match=r"not signed by log\.example"):
        notes.checkpoint(stranger.sign(str(CHECKPOINT)), SIGNER.verifier)
    with pytest.raises(NoteError, match=r"is of other\.example"):
        notes.checkpoint(SIGNER.sign(str(Checkpoint("other.example", 1, bytes(32)))), SIGNER.verifier)


@given(st.data())
def test_a_note_changed_anywhere_is_refused(data):
    place = data.draw(st.integers(0, len(NOTE) - 1))
    changed = NOTE[:place] + data.draw(st.characters().filter(lambda one: one != NOTE[place])) + NOTE[place + 1 :]
    with pytest.raises(NoteError):
        notes.checkpoint(changed, SIGNER.verifier)


@given(st.text())
def test_rubbish_is_refused_in_our_own_words(text):
    for read in (
        Verifier.read,
        Signer.read,
        Proof.read,
        Checkpoint.read,
        lambda one: notes.checkpoint(one, SIGNER.verifier),
    ):
        with pytest.raises(NoteError):
            read(text)


@pytest.mark.parametrize(
    "text",
    [
        "log.example\n07\n" + "A" * 43 + "=\n",
        "log.example\n-1\n" + "A" * 43 + "=\n",
        "log.example\n7\nAAAA\n",
        "log.example\n7\n",
    ],
)
def test_what_is_not_quite_a_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        Checkpoint.read(text)


ENTRIES = [json.dumps({"n": number}).encode() for number in range(20)]


def proof_of(index: int) -> Proof:
    tree = merkle.Tree()
    for entry in ENTRIES:
        tree.append(merkle.leaf(entry))
    note = SIGNER.sign(str(Checkpoint(SIGNER.name, tree.size, tree.root())))
    return Proof(index, tree.inclusion(index, tree.size), note)


def test_a_proof_is_read_as_it_was_written():
    proof = proof_of(11)
    assert Proof.read(str(proof)) == proof
    assert str(proof).startswith("c2sp.org/tlog-proof@v1\nindex 11\n")


@pytest.mark.parametrize("index", [0, 11, 19])
def test_sigstore_accepts_our_proofs_and_signatures(index):
    """Somebody else's code: sigstore-python, which checks Rekor's."""
    by_sigstore(str(proof_of(index)), ENTRIES[index])
    with pytest.raises(VerificationError):
        by_sigstore(str(proof_of(index)), ENTRIES[index] + b" ")
    with pytest.raises(VerificationError):
        by_sigstore(str(proof_of((index + 1) % 20)), ENTRIES[index])


def by_sigstore(proof: str, entry: bytes) -> None:
    head, _, note = proof.partition("\n\n")
    lines = head.split("\n")
    hashes = [base64.b64decode(line) for line in lines[2:]]
    signed = SignedCheckpoint.from_text(note)
    _, shown, key = str(SIGNER.verifier).split("+", 2)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
    ring = SimpleNamespace(verify=lambda *, key_id, signature, data: public.verify(signature, data))
    signed.signed_note.verify(ring, bytes.fromhex(shown) + bytes(28))
    inclusion = SimpleNamespace(
        log_index=int(lines[1].split()[1]),
        tree_size=signed.checkpoint.log_size,
        hashes=hashes,
        root_hash=bytes.fromhex(signed.checkpoint.log_hash),
    )
    verify_merkle_inclusion(
        SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=inclusion, canonicalized_body=entry))
    )
