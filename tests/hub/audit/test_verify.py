"""Tampering of every column is found and located; a rewrite is found by heads."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.audit import offline, reading
from hub.audit.chain import GENESIS, digest_of
from hub.audit.head import PURPOSE, Head
from hub.audit.heads import newest, public_key, sign_head
from hub.audit.log import record
from hub.audit.merkle import Frontier, consistent, included
from hub.audit.tables import Entry, SignedHead
from hub.audit.verify import Verdict, verify
from hub.deployment import Deployment
from records.errors import ParameterError

Tampered = Callable[..., Verdict]


def verified(hub: Deployment, *kept: Head) -> Verdict:
    with hub.database.read() as session:
        return reading.verified(session, hub.keys, kept)


def rewrite(hub: Deployment, since: int) -> str:
    """SQL that changes entry ``since`` and chains everything after it anew."""
    with hub.database.read() as session:
        rows = [dict(row) for row in reading.entries(session)]
    former, statements = rows[since - 2]["digest"] if since > 1 else GENESIS, []
    for row in rows[since - 1 :]:
        row["actor"] = "nobody" if row["number"] == since else row["actor"]
        body = {name: row[name] for name in ("number", "at", "actor", "action", "subject", "detail")}
        digest = digest_of(body, former)
        statements.append(
            f"UPDATE audit_entries SET actor = '{row['actor']}', former = '{former}', digest = '{digest}' "
            f"WHERE number = {row['number']}"
        )
        former = digest
    return "\n".join(statements)


def test_an_untouched_log_is_intact(log: Deployment) -> None:
    verdict = verified(log)
    assert (verdict.intact, verdict.size, verdict.heads) == (True, 30, 2)


@pytest.mark.parametrize(
    "change",
    [
        "at = '2026-11-25T12:00:00.000001Z'", "at = 'yesterday'", "at = ''", "actor = 'nobody'", "actor = x'00'",
        "action = 'thing.undone'", "subject = 'thing:8'", "detail = '{\"part\": 8}'", "detail = '{}'", "detail = '{'",
        "detail = 'null'", f"former = '{GENESIS}'", f"digest = '{GENESIS}'", "digest = 'x'",
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [1, 7, 30])
def test_a_change_of_any_column_is_located(tampered: Tampered, change: str, number: int) -> None:
    if number == 1 and change.startswith("former"):
        pytest.skip("the first entry follows nothing")
    verdict = tampered(f"UPDATE audit_entries SET {change} WHERE number = {number}")
    assert (verdict.intact, verdict.first_wrong, verdict.last_wrong) == (False, number, number)
    assert verdict.size <= number - 1


@pytest.mark.parametrize(
    ("statements", "number"),
    [
        (["DELETE FROM audit_entries WHERE number = 7"], 7),
        (["UPDATE audit_entries SET number = 70 WHERE number = 7"], 7),
        (["DELETE FROM audit_entries WHERE number = 1"], 1),
        (["UPDATE audit_entries SET number = -7 WHERE number = 7"], 1),
        (["UPDATE audit_entries SET number = 99 WHERE number = 7", "UPDATE audit_entries SET number = 7 WHERE number = 8",
          "UPDATE audit_entries SET number = 8 WHERE number = 99"], 7),
    ],
)  # fmt: skip
def test_missing_and_moved_entries_are_located(tampered: Tampered, statements: list[str], number: int) -> None:
    assert tampered(*statements).first_wrong == number


def test_an_entry_replaced_with_a_fitting_digest_is_located(log: Deployment, tampered: Tampered) -> None:
    first = rewrite(log, 7).splitlines()[0]
    verdict = tampered(first)
    assert (verdict.first_wrong, verdict.last_wrong) == (7, 7)


def test_a_cut_end_is_found_by_a_head(tampered: Tampered) -> None:
    verdict = tampered("DELETE FROM audit_entries WHERE number > 15")
    assert (verdict.first_wrong, verdict.last_wrong, verdict.size) == (16, 20, 15)


def test_a_rewrite_is_found_between_two_heads(log: Deployment, tampered: Tampered) -> None:
    verdict = tampered(*rewrite(log, 13).splitlines())
    assert (verdict.first_wrong, verdict.last_wrong, verdict.heads) == (11, 20, 1)


def test_a_rewrite_with_all_heads_is_found_by_a_kept_head(log: Deployment, tampered: Tampered) -> None:
    with log.database.read() as session:
        kept = Head.model_validate(newest(session))
    tampered(*rewrite(log, 1).splitlines(), "DELETE FROM audit_heads")
    with log.database.write() as session:
        assert sign_head(session, log.keys, log.clock()) is not None
    assert verified(log).intact, "without a kept head nobody can know"
    verdict = verified(log, kept)
    assert (verdict.intact, verdict.first_wrong, verdict.last_wrong) == (False, 1, 20)


@pytest.mark.parametrize(
    "change", ["at = '2026-11-25T12:00:00.000001Z'", "root = '" + "a" * 64 + "'", "signature = '" + "0" * 128 + "'"]
)
def test_a_forged_head_is_found(log: Deployment, tampered: Tampered, change: str) -> None:
    verdict = tampered(f"UPDATE audit_heads SET {change} WHERE size = 20")
    assert not verdict.intact
    assert "signed" in verdict.reason
    with log.database.write() as session:
        assert sign_head(session, log.keys, log.clock()) is None, "a log with a forged head is not signed again"


def test_another_hubs_key_signs_nothing_here(log: Deployment) -> None:
    with log.database.read() as session:
        root = newest(session).root  # type: ignore[union-attr]
    foreign = Head.signed(20, bytes.fromhex(root), log.clock(), Ed25519PrivateKey.generate())
    assert not verified(log, foreign).intact
    assert PURPOSE.encode() in foreign.message


def test_heads_grow_and_are_signed_once(log: Deployment) -> None:
    with log.database.write() as session:
        made = sign_head(session, log.keys, log.clock())
        assert made is not None
        assert made.size == 30
        assert sign_head(session, log.keys, log.clock()) is None
        digests = session.scalars(sa.select(Entry.digest).order_by(Entry.number)).all()
        assert made.root == Frontier().extend(bytes.fromhex(d) for d in digests).root.hex()


def test_a_gap_stops_the_signing(log: Deployment, tampered: Tampered) -> None:
    tampered("DELETE FROM audit_entries WHERE number = 25")
    with log.database.write() as session:
        assert sign_head(session, log.keys, log.clock()) is None


def test_proofs_of_the_store_convince(log: Deployment) -> None:
    with log.database.read() as session:
        old, new = session.get_one(SignedHead, 10), session.get_one(SignedHead, 20)
        proof = [bytes.fromhex(step) for step in reading.proof_of(session, 7, 20)]
        digest = session.get_one(Entry, 7).digest
        steps = [bytes.fromhex(step) for step in reading.consistency_of(session, 10, 20)]
    assert included(bytes.fromhex(digest), 6, 20, proof, bytes.fromhex(new.root))
    assert consistent(10, 20, bytes.fromhex(old.root), bytes.fromhex(new.root), steps)


@settings(max_examples=60)
@given(
    st.integers(1, 12), st.sampled_from(["at", "actor", "action", "subject", "detail", "former", "digest", "number"])
)
def test_any_one_change_is_found(number: int, column: str) -> None:
    key, rows = Ed25519PrivateKey.generate(), chained(12)
    other: dict[str, Any] = {"at": rows[0]["at"] + timedelta(seconds=1), "detail": {"a": 1}, "number": 77}
    rows[number - 1][column] = other.get(column, "f" * 64)
    assert verify(rows, [], key.public_key()).first_wrong == number


def chained(count: int) -> list[dict[str, Any]]:
    former, rows = GENESIS, []
    for number in range(1, count + 1):
        body = {"number": number, "at": datetime.fromisoformat("2026-11-25T12:00:00Z"), "actor": "system",
                "action": "thing.done", "subject": f"thing:{number}", "detail": {"ä": [1, 0.1, None]}}  # fmt: skip
        rows.append({**body, "former": former, "digest": digest_of(body, former)})
        former = rows[-1]["digest"]
    return rows


def exported(hub: Deployment, folder: Path) -> Path:
    target = folder / "audit.json"
    with hub.database.read() as session:
        target.write_text("".join(reading.export(session, hub.keys, hub.clock())), encoding="utf-8")
    return target


def test_offline_verification(log: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, key = exported(log, tmp_path), public_key(log.keys)
    assert offline.main([str(path), "--public-key", key]) == 0
    assert "INTACT: 30 entries, 2 signed heads" in capsys.readouterr().out
    document = json.loads(path.read_text())
    document["entries"][6]["actor"] = "nobody"
    path.write_text(json.dumps(document))
    assert offline.main([str(path), "--public-key", key]) == 1
    assert "first wrong entry: 7" in capsys.readouterr().out


def test_offline_verification_never_believes_the_exports_own_key(log: Deployment, tmp_path: Path) -> None:
    foreign = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    assert offline.main([str(exported(log, tmp_path)), "--public-key", foreign]) == 1


def test_offline_verification_with_a_kept_head(log: Deployment, tampered: Tampered, tmp_path: Path) -> None:
    with log.database.read() as session:
        kept = Head.model_validate(newest(session))
    (tmp_path / "head.json").write_text(json.dumps(kept.plain()))
    tampered(*rewrite(log, 3).splitlines(), "DELETE FROM audit_heads")
    command = [str(exported(log, tmp_path)), "--public-key", public_key(log.keys)]
    assert offline.main(command) == 0
    assert offline.main([*command, "--head", str(tmp_path / "head.json")]) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "phaseiv-audit-export-v1"}', "\x00"])
def test_a_file_that_is_no_export_is_told_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    assert offline.main([str(tmp_path / "x.json"), "--public-key", "00" * 32]) == 2


def test_a_malformed_kept_head_is_refused() -> None:
    with pytest.raises(ParameterError, match="kept head"):
        Head.read(b'{"size": 0}')


def test_offline_verification_needs_no_store() -> None:
    import subprocess
    import sys

    code = "import sys, hub.audit.offline; print('sqlalchemy' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )


def test_entries_hold_what_was_recorded(hub: Deployment) -> None:
    with hub.database.write() as session:
        record(
            session, now=hub.clock(), actor="system", action="thing.done", subject="thing:1", words="ä\ud83e<b>", n=0.1
        )
    assert verified(hub).intact
