"""Loading packs, and what `pack check` says of the bundled ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from intents.check import Against, check_pack
from intents.conversation import Conversation
from intents.heard import Heard
from intents.lint_danger import load_rules
from intents.pack import PackError, bundled, load_pack, load_packs, read_wordings
from intents.reply import Reply
from intents.understand import HEAD, Understander
from intents.urgent import UrgentRules

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("folder", bundled(), ids=lambda path: path.name)
def test_bundled_pack_has_no_faults(folder: Path) -> None:
    found = check_pack(folder, Against(test_parts=(DATA,) if folder == stenosis() else ()))
    stale = [finding for finding in found if finding.file.name == "head.npz"]  # whoever changes wordings compiles later
    assert [str(finding) for finding in found if finding.level == "error" and finding not in stale] == []


@pytest.mark.parametrize("folder", bundled(), ids=lambda path: path.name)
def test_every_answer_names_its_section_and_can_be_offered(folder: Path) -> None:
    pack = load_pack(folder)
    assert set(pack.about.suggestions) <= set(pack.answers)
    assert all(answer.section for answer in pack.answers.values())


def test_two_packs_of_one_id_are_refused() -> None:
    with pytest.raises(PackError, match="is the id of another pack too"):
        load_packs([bundled()[0], bundled()[0]])


def test_missing_folder_is_one_plain_fault(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="is not a folder"):
        load_pack(tmp_path / "nowhere")


def test_every_key_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "pack.toml").write_text('id = "Bad Id"\nnaem = "x"\n', encoding="utf-8")
    (tmp_path / "answers.toml").write_text("[answers.a]\nfirst = 3\n", encoding="utf-8")
    with pytest.raises(PackError) as caught:
        load_pack(tmp_path)
    assert {"id", "naem", "name", "answers.a.first", "answers.a.section"} <= {
        fault.key for fault in caught.value.faults
    }


@pytest.mark.parametrize(
    ("said", "sign"),
    [
        ("i can't get an erection any more", "provider_soon"),
        ("since this morning i have no feeling during sex", "urgent_bowel_bladder"),
        ("i think i've got cauda equina", "urgent_bowel_bladder"),
        ("my left leg has gone numb", "urgent_limb"),
        ("i have lost control of my bladder", "urgent_bowel_bladder"),
    ],
)
def test_stenosis_pack_warns_by_its_own_and_by_shared_rules(said: str, sign: str) -> None:
    rules = load_rules(load_pack(stenosis()))
    assert isinstance(rules, UrgentRules)
    assert sign in {found.id for found in rules.find(said)}


@pytest.mark.parametrize(
    "said",
    ["can spinal stenosis cause impotence", "what is cauda equina syndrome", "there is no problem with my sex life"],
)
def test_stenosis_pack_does_not_warn_of_questions_about_signs(said: str) -> None:
    rules = load_rules(load_pack(stenosis()))
    assert isinstance(rules, UrgentRules)
    assert rules.find(said) == ()


def test_the_fifth_writer_is_not_in_the_pack_and_asks_for_all_its_ids() -> None:
    writer = list(read_wordings(DATA / "stenosis_writer.toml"))
    pack = load_pack(stenosis())
    assert {example.label for example in writer if example.section == "question"} == set(pack.answers)
    assert not {example.writer for example in writer} & {example.writer for example in pack.examples}


@pytest.fixture(scope="module")
def both() -> Understander:
    """Both bundled packs together. Skips, visibly, where the second has not been compiled."""
    if not (stenosis() / HEAD).exists():
        pytest.skip("spinal_stenosis has not been compiled")
    return Understander.load([next(folder for folder in bundled() if folder != stenosis()), stenosis()])


def replies(both: Understander, *said: str) -> list[Reply]:
    talk = Conversation(both)
    return [talk.reply(Heard.from_text(text)) for text in said]


def test_the_condition_named_decides_and_then_stays_the_topic(both: Understander) -> None:
    found = replies(
        both, "what is spinal stenosis", "what is the treatment", "what is facet hypertrophy", "how is it treated"
    )
    packs = [(reply.intent, reply.pack) for reply in found]
    assert packs == [
        ("definition", "spinal_stenosis"),
        ("treatment", "spinal_stenosis"),
        ("definition", "facet_hypertrophy"),
        ("treatment", "facet_hypertrophy"),
    ]


def test_with_no_name_and_no_topic_it_asks_which(both: Understander) -> None:
    (reply,) = replies(both, "how is it treated")
    assert reply.action == "clarify"
    assert set(reply.choices) == {"facet_hypertrophy", "spinal_stenosis"}


@pytest.mark.parametrize("topic", ["what is spinal stenosis", "what is facet hypertrophy"])
@pytest.mark.parametrize(
    ("said", "sign"),
    [
        ("my left leg has gone numb since this morning", "urgent_limb"),
        ("i think i've got cauda equina", "urgent_bowel_bladder"),
        ("i have chest pain", "urgent_other"),
    ],
)
def test_danger_signs_of_all_packs_hold_whatever_the_topic(
    both: Understander, topic: str, said: str, sign: str
) -> None:
    reply = replies(both, topic, said)[-1]
    assert reply.action == "warn"
    assert sign in reply.urgent


def stenosis() -> Path:
    return next(folder for folder in bundled() if folder.name == "spinal_stenosis")
