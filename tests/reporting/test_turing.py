import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest

from pipeline.errors import UserError
from pipeline.reporting.turing.answers import Answer, bradley_terry, fooling, score, wilson
from pipeline.reporting.turing.trials import Plan, build_turing
from tests.reporting.fixture import embedded, made_up_run


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("turing")
    one = made_up_run(folder / "run", side=96).sets[0]
    methods = {name: path for name, path in one.predictions.items() if name in ("l2", "ccc_plus_plus_lite")}
    assert (
        build_turing([replace(one, predictions=methods)], folder / "out", folder / "key.json", 5, Plan(4, 3, 2, 1)) == 9
    )
    return folder


def answers(built: Path, choose: str, name: str = "a") -> Path:
    """A visitor who always takes `choose`, or the truth where it is not shown."""
    sources = {key: one["source"] for key, one in json.loads((built / "key.json").read_text())["pictures"].items()}
    data = embedded((built / "out/turing.html").read_text(), "data-turing")
    entries = []
    for left, right in data["trials"]:  # type: ignore[index,call-overload]
        by_source = {sources[left]: left, sources[right]: right}
        chosen = by_source.get(choose, by_source.get("truth", left))
        entries.append({"left": left, "right": right, "chosen": chosen, "milliseconds": 900})
    path = built / f"{name}.json"
    content = {"version": 2, "experiment": data["experiment"], "visitor": name, "answers": entries}  # type: ignore[index,call-overload]
    path.write_text(json.dumps(content))
    return path


def test_pictures_give_nothing_away(built: Path) -> None:
    files = sorted((built / "out/turing").iterdir())
    assert len({path.stat().st_size for path in files}) == 1
    assert len({path.read_bytes() for path in files}) == len(files) == 2 * (1 + 9)
    page = (built / "out/turing.html").read_text()
    for word in ("l2", "ccc_plus_plus_lite", "astronaut", "coffee"):
        assert word not in page.split("<script")[1]
    data = embedded(page, "data-turing")
    sources = {key: one["source"] for key, one in json.loads((built / "key.json").read_text())["pictures"].items()}
    for pair in data["trials"]:  # type: ignore[index,call-overload]
        assert pair == sorted(pair)
        sizes, tables = set(), set()
        for name in pair:
            with Image.open(built / "out/turing" / name) as picture:
                sizes.add(picture.size)
                tables.add(str(picture.quantization))
        assert len(sizes) == len(tables) == 1
    first = [sources[pair[0]] == "truth" for pair in data["trials"] if "truth" in map(sources.get, pair)]  # type: ignore[index,call-overload]
    assert len(set(first)) == 2  # the truth stands first in some pairs and second in others


def test_key_among_the_pictures_is_refused(built: Path) -> None:
    with pytest.raises(UserError, match="outside"):
        build_turing([], built / "out", built / "out/turing/key.json", 5)


def test_fooled_visitor_and_careful_visitor(built: Path) -> None:
    careful = score([answers(built, "truth", "careful")], built / "key.json")
    assert [row["rate"] for row in careful["fooling"]] == [0.0, 0.0]  # type: ignore[attr-defined]
    both = [answers(built, "truth", "careful"), answers(built, "l2", "fooled")]
    rates = {row["method"]: row["rate"] for row in score(both, built / "key.json")["fooling"]}  # type: ignore[attr-defined]
    assert rates == {"ccc_plus_plus_lite": 0.0, "l2": 0.5}


def test_visitor_who_does_not_look_is_left_out(built: Path) -> None:
    with pytest.raises(UserError, match="1 attention checks failed"):
        score([answers(built, "check", "asleep")], built / "key.json")
    good = answers(built, "truth", "good")
    scores = score([good, answers(built, "check", "asleep")], built / "key.json")
    assert (scores["visitors"], scores["left_out"]) == (1, {"attention checks failed": 1})


def test_answer_files_that_are_none(built: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(UserError, match=r"broken\.json"):
        score([tmp_path / "broken.json"], built / "key.json")
    foreign = json.loads(answers(built, "truth").read_text()) | {"experiment": "other"}
    (tmp_path / "foreign.json").write_text(json.dumps(foreign))
    with pytest.raises(UserError, match="another test"):
        score([tmp_path / "foreign.json"], built / "key.json")
    twice = answers(built, "truth", "twice")
    (tmp_path / "copy.json").write_text(twice.read_text())
    assert score([twice, tmp_path / "copy.json"], built / "key.json")["left_out"] == {"handed in twice": 1}


def changed(built: Path, place: Path, **change: object) -> Path:
    """A careful visitor's file with some of its content replaced."""
    content = json.loads(answers(built, "truth", "whole").read_text())
    place.write_text(json.dumps(content | change))
    return place


def entries(built: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(answers(built, "truth", "whole").read_text())["answers"]
    return found


def test_a_trial_counts_once_and_all_must_be_there(built: Path, tmp_path: Path) -> None:
    """One pair 500 times is one visitor who did not take the test; so is a file without the attention checks."""
    sources = {key: one["source"] for key, one in json.loads((built / "key.json").read_text())["pictures"].items()}
    whole = entries(built)
    unchecked = [one for one in whole if "check" not in (sources[one["left"]], sources[one["right"]])]
    assert len(unchecked) < len(whole)
    turned = [one | {"left": one["right"], "right": one["left"]} for one in whole]
    cases = {
        "a trial answered more than once": [whole[0]] * 500,
        "trials left out": unchecked,
    }
    for reason, content in cases.items():
        with pytest.raises(UserError, match=f"1 {reason}"):
            score([changed(built, tmp_path / "a.json", answers=content)], built / "key.json")
    with pytest.raises(UserError, match="1 a trial answered more than once"):
        score([changed(built, tmp_path / "a.json", answers=[*whole, turned[0]])], built / "key.json")
    with pytest.raises(UserError, match="1 trials left out"):
        score([changed(built, tmp_path / "a.json", answers=[])], built / "key.json")
    shuffled = score([changed(built, tmp_path / "a.json", answers=turned[::-1])], built / "key.json")
    assert shuffled["fooling"] == score([answers(built, "truth", "whole")], built / "key.json")["fooling"]
    trials = sum(row["trials"] for row in shuffled["fooling"])  # type: ignore[attr-defined]
    assert trials == 4  # as many as the plan has


def test_the_same_answers_under_another_name_are_handed_in_twice(built: Path, tmp_path: Path) -> None:
    one = answers(built, "truth", "whole")
    again = changed(built, tmp_path / "b.json", visitor="somebody else")
    assert score([one, again], built / "key.json")["left_out"] == {"handed in twice": 1}


def test_any_json_gets_a_clear_answer(built: Path, tmp_path: Path) -> None:
    whole, path = entries(built), tmp_path / "a.json"
    one = whole[0]
    stranger = next(two for two in whole if two["left"] not in one.values())["left"]
    for content, message in (
        (5, "'answers' is a number, it takes a list"),
        (None, "'answers' is null"),
        ({"left": 1}, "'answers' is a mapping"),
        ([5], "answer 1 is no answer"),
        ([{"left": ["a"], "right": "b", "chosen": "b"}], "answer 1 is no answer"),
        ([one | {"right": one["left"]}], "which is no trial of this test"),
        ([one | {"right": stranger}], "which is no trial of this test"),
        ([*whole[1:], one | {"chosen": stranger}], "which was not shown"),
    ):
        with pytest.raises(UserError, match=message) as told:
            score([changed(built, path, answers=content)], built / "key.json")
        assert "\n" not in str(told.value) and "a.json" in str(told.value)
    for text in (
        "5",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"version": 2}',
        "[" * 100_000,
        '{"version": 1, "answers": []}',
        "\xff",
    ):
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(UserError, match=r"a\.json") as told:
            score([path], built / "key.json")
        assert "\n" not in str(told.value)
    for key in (
        {"pictures": 3},
        {"trials": 3},
        {"trials": [["a", "b"]]},
        {"trials": [[1, "b"]]},
        {"pictures": {"a": 1}},
    ):
        (tmp_path / "key.json").write_text(json.dumps(json.loads((built / "key.json").read_text()) | key))
        with pytest.raises(UserError, match=r"key\.json: is no key"):
            score([answers(built, "truth", "whole")], tmp_path / "key.json")


def test_a_method_called_truth_is_refused(built: Path, tmp_path: Path) -> None:
    one = made_up_run(tmp_path / "run", names=("coffee",), side=48).sets[0]
    called = replace(one, predictions={"truth": one.predictions["l2"]})
    with pytest.raises(UserError, match="a method is called 'truth'"):
        build_turing([called], tmp_path / "out", tmp_path / "key.json", 5)


@pytest.mark.parametrize(("hits", "trials"), [(0, 7), (3, 10), (32, 100), (9, 9)])
def test_wilson_is_that_of_scipy(hits: int, trials: int) -> None:
    interval = binomtest(hits, trials).proportion_ci(method="wilson")
    assert wilson(hits, trials) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_bradley_terry_of_two_is_the_log_odds() -> None:
    """Two sources: the odds are wins by losses, half a win added to each."""
    strength = bradley_terry(np.array([[0.0, 7.0], [3.0, 0.0]]))
    assert strength[0] - strength[1] == pytest.approx(math.log(7.5 / 3.5), abs=1e-6)


def test_bradley_terry_finds_the_strengths_that_made_the_wins() -> None:
    truth = np.array([0.9, 0.1, -1.0])
    odds = np.exp(truth)
    wins = 1e7 * odds[:, None] / (odds[:, None] + odds[None, :]) * (1 - np.eye(3))
    assert bradley_terry(wins) == pytest.approx(truth, abs=1e-5)


def test_fooling_counts_only_pairs_with_the_truth() -> None:
    found = fooling([Answer("a", "l2", "truth"), Answer("a", "truth", "l2"), Answer("a", "l2", "ccc")])
    assert [(row["method"], row["trials"], row["fooled"]) for row in found] == [("l2", 2, 1)]
