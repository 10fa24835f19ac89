"""Files of tasks: what they give, that they survive the round trip, and that every broken one gets one sentence."""

import copy
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from crowdgym.common.errors import ConfigError, DataError
from crowdgym.configs.dasc import DascSettings
from crowdgym.data.coordinates import wgs84_to_gcj02
from crowdgym.data.registry import load_dataset
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.dasc.file_generator import FileGenerator
from crowdgym.envs.dasc.generator import OrderStreamGenerator
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.envs.dasc.task_files import write_instance

ON_FILES = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def node_id(node: int) -> int:
    return int(load_dataset("tiny").network.node_ids[node])


def a_document() -> dict[str, Any]:
    """Two tasks, the later one first; 'roof' is the diamond strip < beams, tiles < clean, its entries in disorder."""
    return {
        "format": "crowdgym-dasc",
        "format_version": 1,
        "skills": ["wood", "stone"],
        "tasks": [
            {
                "id": "roof",
                "created_s": 60,
                "expected_s": 1000,
                "deadline_s": 2000.5,
                "payment": 80,
                "subtasks": [
                    {"id": "clean", "node": node_id(3), "skills": [], "duration_s": 40, "after": ["tiles", "beams"]},
                    {"id": "strip", "node": node_id(0), "skills": ["wood", "stone"], "duration_s": 10},
                    {"id": "beams", "node": node_id(1), "skills": ["wood"], "duration_s": 20, "after": ["strip"]},
                    {"id": "tiles", "node": node_id(2), "skills": ["stone"], "duration_s": 30.5, "after": ["strip"]},
                ],
            },
            {
                "id": 7,
                "created_s": 0,
                "expected_s": 100,
                "deadline_s": 200,
                "payment": 5.5,
                "subtasks": [{"id": 1, "node": node_id(5), "skills": ["wood"], "duration_s": 50}],
            },
        ],
        "workers": [{"node": node_id(9), "skills": ["wood", "stone"]}, {"node": node_id(8), "skills": ["stone"]}],
    }


def read(path: Path, document: Any = None, fixed: tuple[str, ...] = (), **keywords: Any) -> FileGenerator:
    if document is not None:
        path.write_text(document if isinstance(document, str) else json.dumps(document))
    return FileGenerator(path, load_dataset("tiny"), DascSettings.load(scenario="tiny", **keywords), fixed)


def seeds(seed: int = 0) -> InstanceSeeds:
    return InstanceSeeds.of(np.random.SeedSequence(seed))


def same(first: DascInstance, second: DascInstance) -> bool:
    names = [field.name for field in fields(first) if field.name != "network"]
    arrays = [(getattr(first, name), getattr(second, name)) for name in names]
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in arrays)


def test_a_file_by_hand(tmp_path: Path) -> None:
    generator = read(tmp_path / "tasks.json", a_document())
    assert generator.task_ids == ("7", "roof")
    assert generator.subtask_ids == ("1", "strip", "beams", "tiles", "clean")
    instance = generator.generate(seeds())
    assert instance.created_s.tolist() == [0.0, 60.0]
    assert instance.expected_s.tolist() == [100.0, 1000.0]
    assert instance.deadline_s.tolist() == [200.0, 2000.5]
    assert instance.payment.tolist() == [5.5, 80.0]
    assert instance.subtask_task.tolist() == [0, 1, 1, 1, 1]
    assert instance.subtask_node.tolist() == [5, 0, 1, 2, 3]
    assert instance.duration_s.tolist() == [50.0, 10.0, 20.0, 30.5, 40.0]
    assert [row.nonzero()[0].tolist() for row in instance.subtask_skills] == [[0], [0, 1], [0], [1], []]
    assert [instance.predecessors_of(i).tolist() for i in range(5)] == [[], [], [1], [1], [2, 3]]
    assert instance.worker_node.tolist() == [9, 8]
    assert [row.nonzero()[0].tolist() for row in instance.worker_skills] == [[0, 1], [1]]


def test_sizes_that_the_caller_does_not_give_are_those_of_the_file(tmp_path: Path) -> None:
    chosen = read(tmp_path / "tasks.json", a_document()).settings
    assert (chosen.num_tasks, chosen.num_slots, chosen.num_workers) == (2, 5, 2)
    roomy = read(tmp_path / "tasks.json", fixed=("subtasks_mean",), subtasks_mean=10.0).settings
    assert roomy.num_slots == 20
    with pytest.raises(ConfigError, match=r"^num_tasks must be 2, as .*tasks.json has it, got 3$"):
        read(tmp_path / "tasks.json", fixed=("num_tasks",), num_tasks=3)
    with pytest.raises(ConfigError, match=r"^num_workers must be 2, as .*tasks.json has it, got 5$"):
        read(tmp_path / "tasks.json", fixed=("num_workers",), num_workers=5)
    with pytest.raises(ConfigError, match=r"^subtasks_mean must be at least 2.5 for the 5 subtasks of .*, got 2$"):
        read(tmp_path / "tasks.json", fixed=("subtasks_mean",), subtasks_mean=2.0)


def test_workers_that_a_file_does_not_have_are_drawn_as_ever(tmp_path: Path) -> None:
    document = a_document()
    del document["workers"]
    keywords = DascSettings.load(scenario="tiny", num_workers=4)
    found = read(tmp_path / "tasks.json", document, num_workers=4).generate(seeds(3))
    drawn = OrderStreamGenerator(load_dataset("tiny"), keywords).generate(seeds(3))
    assert found.worker_node.tolist() == drawn.worker_node.tolist()
    assert found.worker_skills.tolist() == drawn.worker_skills.tolist()
    with pytest.raises(ConfigError, match="num_workers must be at most 104"):
        read(tmp_path / "tasks.json", document, num_workers=105)


@pytest.mark.parametrize("crs", ["wgs84", "gcj02"])
def test_coordinates_are_put_on_the_nearest_node(tmp_path: Path, crs: str) -> None:
    network = load_dataset("tiny").network
    place = network.longitude_deg[[40]], network.latitude_deg[[40]]
    if crs == "gcj02":
        place = wgs84_to_gcj02(*place)
    document = a_document() | {"crs": crs}
    document["tasks"][1]["subtasks"][0] |= {"node": None, "longitude": place[0][0], "latitude": place[1][0]}
    assert read(tmp_path / "tasks.json", document).generate(seeds()).subtask_node[0] == 40


@pytest.mark.parametrize("suffix", ["json", "parquet"])
@pytest.mark.parametrize("seed", [0, 1])
def test_an_instance_survives_the_round_trip(tmp_path: Path, suffix: str, seed: int) -> None:
    drawing = OrderStreamGenerator(load_dataset("tiny"), DascSettings.load(scenario="tiny"))
    instance = drawing.generate(seeds(seed))
    write_instance(tmp_path / f"tasks.{suffix}", instance)
    again = read(tmp_path / f"tasks.{suffix}")
    assert same(instance, again.generate(seeds(99)))
    write_instance(tmp_path / f"again.{suffix}", again.generate(seeds()))
    assert (tmp_path / f"again.{suffix}").read_bytes() == (tmp_path / f"tasks.{suffix}").read_bytes()


def test_a_table_that_a_person_writes(tmp_path: Path) -> None:
    window = {"task": "q1", "created_s": 0, "expected_s": 900, "deadline_s": 1800, "payment": 80}
    rows = [
        window | {"subtask": "b", "node": float(node_id(1)), "skills": "1", "duration_s": 200, "after": "a"},
        window | {"subtask": "a", "node": float(node_id(0)), "skills": "0, 3", "duration_s": 120, "after": ""},
        {"node": float(node_id(2)), "skills": "0,1,3"},
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "t.parquet")
    generator = read(tmp_path / "t.parquet")
    instance = generator.generate(seeds())
    assert generator.subtask_ids == ("a", "b")
    assert instance.duration_s.tolist() == [120.0, 200.0]
    assert [row.nonzero()[0].tolist() for row in instance.subtask_skills] == [[0, 3], [1]]
    assert instance.predecessors_of(1).tolist() == [0]
    assert instance.worker_node.tolist() == [2]


def test_rows_of_one_task_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    window = {"task": "q1", "created_s": 0, "expected_s": 900, "deadline_s": 1800, "payment": 80}
    row = {"subtask": "a", "node": node_id(1), "skills": "1", "duration_s": 200}
    rows = [window | row, window | row | {"subtask": "b", "payment": 81}]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t.parquet, row 1: task 'q1' has payment 81, in a row before 80$"):
        read(tmp_path / "t.parquet")
    parquet.write_table(pyarrow.Table.from_pylist([window | row | {"colour": "red"}]), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t.parquet has the column 'colour'; known are task, created_s, "):
        read(tmp_path / "t.parquet")


def edited(*path: Any, value: Any) -> dict[str, Any]:
    document = a_document()
    entry: Any = document
    for key in path[:-1]:
        entry = entry[key]
    entry[path[-1]] = value
    return document


ROOF = ("tasks", 0)
STRIP, BEAMS, TILES = ((*ROOF, "subtasks", i) for i in (1, 2, 3))


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (
            edited(*STRIP, "after", value=["clean"]),
            "task 'roof': subtasks come after each other in a circle: "
            "'clean' after 'tiles' after 'strip' after 'clean'",
        ),
        (edited(*STRIP, "after", value=["strip"]), "task 'roof': subtasks come after each other in a circle: "
         "'strip' after 'strip'"),
        (
            edited(*BEAMS, "after", value=["sweep"]),
            "task 'roof', subtask 'beams': comes after 'sweep', which is no subtask of this task "
            "(it has ['clean', 'strip', 'beams', 'tiles'])",
        ),
        (
            edited(*BEAMS, "after", value=["strip", "strip"]),
            "task 'roof', subtask 'beams': the predecessor 'strip' occurs twice",
        ),
        (edited(*BEAMS, "id", value="tiles"), "task 'roof': the subtask id 'tiles' occurs twice"),
        (edited(*ROOF, "id", value="7"), "the task id '7' occurs twice"),
        (
            edited(*TILES, "skills", value=["glass"]),
            "task 'roof', subtask 'tiles': unknown skill 'glass'; expected one of 'wood', 'stone'",
        ),
        (edited("workers", 1, "skills", value=[]), "workers[1]: skills must name at least one skill, got none"),
        (edited("skills", value=["wood", "wood"]), "the skill 'wood' occurs twice"),
        (edited("skills", value=[]), "task '7', subtask '1': unknown skill 'wood'; expected none, as the file's list "
         "'skills' is empty"),
        (
            edited(*ROOF, "deadline_s", value=60),
            "task 'roof': deadline_s must be later than created_s, which is 60, got 60",
        ),
        (
            edited(*ROOF, "expected_s", value=59),
            "task 'roof': expected_s must be no earlier than created_s, which is 60, got 59",
        ),
        (
            edited(*ROOF, "expected_s", value=3000),
            "task 'roof': deadline_s must be later than expected_s, which is 3000, got 2000.5",
        ),
        (edited(*ROOF, "subtasks", value=[]), "tasks[0].subtasks must have at least 1 in it, got 0"),
        (edited("tasks", value=[]), "tasks must have at least 1 in it, got 0"),
        (edited("skills", value=list("abcdefghijk")), "skills must have at most 10 in it, got 11"),
        (edited(*STRIP, "duration_s", value=0), "tasks[0].subtasks[1].duration_s must be greater than 0, got 0"),
        (edited(*STRIP, "duration_s", value="ten"), "tasks[0].subtasks[1].duration_s must be a valid number, "
         "got 'ten'"),
        (edited(*STRIP, "duration", value=5), "tasks[0].subtasks[1].duration is no key that is known there"),
        (edited(*ROOF, "payment", value=-1), "tasks[0].payment must be greater than or equal to 0, got -1"),
        (edited(*ROOF, "created_s", value=float("nan")), "tasks[0].created_s must be a finite number, got nan"),
        (edited("format", value="other"), "format must be 'crowdgym-dasc', got 'other'"),
        (edited("format_version", value=2), "format_version must be 1, got 2"),
        (edited(*STRIP, "node", value=None), "task 'roof', subtask 'strip': must have either a node, or a longitude "
         "and a latitude"),
        (edited(*STRIP, "longitude", value=110.0), "task 'roof', subtask 'strip': must have either a node, or a "
         "longitude and a latitude"),
        (edited(*STRIP, "node", value=-5), "task 'roof', subtask 'strip': node -5 is not on the road network; expected "
         "the id of one of its nodes"),
    ],
)  # fmt: skip
def test_a_defect_is_named(tmp_path: Path, document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "tasks.json", document)
    assert str(caught.value) == f"{tmp_path / 'tasks.json'}: {sentence}"


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    document = a_document()
    del document["tasks"][0]["subtasks"][2]["skills"]
    with pytest.raises(DataError, match=r"tasks.json: tasks\[0\].subtasks\[2\].skills is missing$"):
        read(tmp_path / "tasks.json", document)


def test_a_place_off_the_network_is_refused(tmp_path: Path) -> None:
    document = a_document()
    document["workers"][0] |= {"node": None, "longitude": 0.0, "latitude": 51.5}
    with pytest.raises(DataError, match=r"workers\[0\]: longitude 0, latitude 51.5 is farther than 1000 m from every"):
        read(tmp_path / "tasks.json", document)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"[1, 2", "is no JSON: Expecting ',' delimiter at line 1, column 6"),
        (b"\xff\xfe", "is neither text in UTF-8 nor Parquet"),
        (b"[]", "must hold a JSON object with the key 'tasks', got []"),
        (b'{"tasks": [], "tasks": []}', "has the key 'tasks' twice in one object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"format_version": ' + b"9" * 5000 + b"}", "a number has too many digits"),
        (b"PAR1 and nothing else", "is a damaged Parquet file"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "tasks").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(tmp_path / "tasks")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path, sentence in ((tmp_path / "none.json", "there is no file"), (tmp_path, "Is a directory")):
        with pytest.raises(DataError, match=sentence):
            read(path)
    with pytest.raises(DataError, match=r"must be named \*.json or \*.parquet, got '.*tasks.csv'"):
        write_instance(tmp_path / "tasks.csv", read(tmp_path / "t.json", a_document()).generate(seeds()))


def places_in(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything that is in a document."""
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(place for key, entry in inside for place in places_in(entry, (*way, key)))]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["strip", "wood", "7", 7, 1e300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


def one_sentence_or_an_instance(path: Path) -> None:
    try:
        read(path).generate(seeds())
    except (DataError, ConfigError) as error:
        sentence = str(error)
    else:
        return
    assert 0 < len(sentence) < 1000
    assert "\n" not in sentence


@ON_FILES
@given(place=st.sampled_from(places_in(a_document())[1:]), value=ANYTHING)
def test_whatever_stands_in_a_document_it_is_read_or_refused(
    tmp_path: Path, place: tuple[Any, ...], value: Any
) -> None:
    (tmp_path / "t.json").write_text(json.dumps(edited(*place, value=value)))
    one_sentence_or_an_instance(tmp_path / "t.json")


@ON_FILES
@given(place=st.sampled_from(places_in(a_document())[1:]))
def test_whatever_is_left_out_of_a_document_it_is_read_or_refused(tmp_path: Path, place: tuple[Any, ...]) -> None:
    document = copy.deepcopy(a_document())
    entry: Any = document
    for key in place[:-1]:
        entry = entry[key]
    del entry[place[-1]]
    (tmp_path / "t.json").write_text(json.dumps(document))
    one_sentence_or_an_instance(tmp_path / "t.json")


@pytest.mark.parametrize("suffix", ["json", "parquet"])
@ON_FILES
@given(data=st.data())
def test_whatever_happens_to_the_bytes_the_file_is_read_or_refused(
    tmp_path: Path, suffix: str, data: st.DataObject
) -> None:
    whole = tmp_path / f"whole.{suffix}"
    if not whole.exists():
        write_instance(whole, read(tmp_path / "first.json", a_document()).generate(seeds()))
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, len(content)) | st.just(len(content))) :]
    (tmp_path / f"t.{suffix}").write_bytes(content)
    one_sentence_or_an_instance(tmp_path / f"t.{suffix}")


@ON_FILES
@given(content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_whatever_a_file_holds_it_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(DataError):
        read(tmp_path / "t")


def test_the_example_of_the_documentation_is_read(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "dasc_instances.md").read_text(encoding="utf-8")
    (tmp_path / "t.json").write_text(text.split("```json\n")[1].split("```")[0])
    scenario = DascSettings.load(scenario="haikou-synth")
    generator = FileGenerator(tmp_path / "t.json", load_dataset("haikou-synth"), scenario)
    assert generator.subtask_ids == ("strip", "wires", "pipes", "paint")
    assert (generator.settings.num_workers, generator.settings.num_slots) == (2, 4)
