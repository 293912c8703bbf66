"""Architectures as data and as files: what is written is read again, and faults are one line."""

import json
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.random_architectures import architectures

from src.design import architecture_file
from src.design.architecture_file import (
    from_dict,
    from_meta,
    infer_family,
    load_architecture,
    save_architecture,
    to_dict,
)
from src.design.families import ARCHITECTURES, EFFICIENTNET_B0
from src.errors import UserError


@given(architectures)
def test_what_is_written_is_read(network):
    content = to_dict(network)
    assert from_dict(content) == network
    assert from_dict(json.loads(json.dumps(content))) == network
    assert from_dict(yaml.safe_load(yaml.safe_dump(content))) == network


@settings(max_examples=25)
@given(architectures)
def test_files_give_back_the_network(tmp_path_factory, network):
    folder = tmp_path_factory.mktemp("networks")
    for suffix in ("yaml", "yml", "json"):
        save_architecture(network, folder / f"network.{suffix}")
        assert load_architecture(folder / f"network.{suffix}") == network


@pytest.mark.parametrize(
    "name", ["net", "1e3", "on", "1:30", "a: b", "a\nb", "\u7f51", " x ", "'", "\x07", "\udcff", "a" * 300]
)
def test_both_writers_of_yaml_write_the_same_text(name, tmp_path, monkeypatch):
    network = replace(EFFICIENTNET_B0, name=name)
    save_architecture(network, tmp_path / "by_libyaml.yaml")
    monkeypatch.setattr(architecture_file, "_FastRowDumper", architecture_file._RowDumper)
    save_architecture(network, tmp_path / "by_python.yaml")
    assert (tmp_path / "by_libyaml.yaml").read_bytes() == (tmp_path / "by_python.yaml").read_bytes()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_published_networks_survive(name):
    assert from_dict(to_dict(ARCHITECTURES[name])) == ARCHITECTURES[name]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_family_of_an_older_file_is_inferred(name):
    content = to_dict(ARCHITECTURES[name])
    del content["family"]
    assert from_dict(content) == ARCHITECTURES[name]


@given(architectures)
def test_an_older_file_gives_the_same_network_and_cells(network):
    content = to_dict(network)
    del content["family"]
    read = from_dict(content)
    assert read.is_ghostnet == network.is_ghostnet
    assert replace(read, family=network.family) == network


@pytest.mark.parametrize(
    "name, family",
    [
        ("efficientnet_b7", "efficientnet"),
        ("efficientnet_b_minus_4", "efficientnet"),
        ("efficientnet_b0_tiny_60m", "tinynet"),
        ("mine", "tinynet"),
    ],
)
def test_of_networks_without_a_ghostnets_head_only_the_published_names_are_efficientnets(name, family):
    assert infer_family({"name": name, "head_conv": 0}) == family


def test_a_file_shows_the_table(tmp_path):
    save_architecture(EFFICIENTNET_B0, tmp_path / "b0.yaml")
    line = "- {block: ir, kernel: 5, stride: 2, expand: 6, channels: 40, repeats: 2, se: 0.25}"
    assert line in (tmp_path / "b0.yaml").read_text().splitlines()


def test_a_stage_without_skip_says_so_and_the_others_do_not():
    stage, *others = EFFICIENTNET_B0.stages
    rows = to_dict(replace(EFFICIENTNET_B0, stages=(replace(stage, skip=False), *others)))["stages"]
    assert rows[0]["skip"] is False and not any("skip" in row for row in rows[1:])


def test_fields_with_a_default_may_be_left_out():
    content = to_dict(EFFICIENTNET_B0)
    del content["style"], content["head_conv"], content["stages"][0]["se"], content["family"]
    assert from_dict(content) == EFFICIENTNET_B0


def test_early_checkpoints_keep_the_epsilon_beside_the_architecture():
    content = to_dict(EFFICIENTNET_B0)
    del content["style"]["bn_epsilon"], content["style"]["padding"]
    assert from_meta({"architecture": content}) == EFFICIENTNET_B0
    assert from_meta({"architecture": content, "bn_epsilon": 0.01}) == EFFICIENTNET_B0.with_epsilon(0.01)
    assert from_meta({"model": "efficientnet_b0"}) is None


def changed(keys, value):
    content = to_dict(EFFICIENTNET_B0)
    where = content
    for key in keys[:-1]:
        where = where[key]
    where[keys[-1]] = value
    return content


@pytest.mark.parametrize(
    "keys, value, text",
    [
        (["stages", 2, "chanels"], 8, r"unknown key stages\[2\].chanels; did you mean 'channels'\? \(known: block, "),
        (["hed"], 8, "unknown key hed; did you mean 'head'"),
        (["style", 3], 8, r"unknown key style.3 \(known: stem_activation"),
        (["resolution"], "224", "resolution is '224'; expected a whole number"),
        (["resolution"], 224.5, "resolution is 224.5; expected a whole number"),
        (["stem"], True, "stem is True; expected a whole number"),
        (["name"], 7, "name is 7; expected a text"),
        (["stages"], 7, "stages is 7; expected a list"),
        (["stages", 1], [3], r"stages\[1\] is \[3\]; expected a mapping"),
        (
            ["stages", 1, "block"],
            "irr",
            r"stages\[1\].block is 'irr'; expected one of ds, ir, ghost; did you mean",
        ),
        (["stages", 1, "block"], [], r"stages\[1\].block is \[\]; expected one of"),
        (["stages", 1, "expand"], "6", r"stages\[1\].expand is '6'; expected a number"),
        (["stages", 1, "expand"], [6, None], r"stages\[1\].expand\[1\] is None; expected a number"),
        (["stages", 1, "expand"], [], r"stages\[1\].expand is \(\); it must be above 0"),
        (["stages", 1, "se"], -1, r"efficientnet_b0: stages\[1\].se is -1.0; it must be between 0 and 1"),
        (["stages", 1, "kernel"], 4, r"stages\[1\].kernel is 4; it must be odd"),
        (
            ["style", "activation"],
            "swish",
            "style.activation is 'swish'; expected one of silu, relu, hard_swish",
        ),
        (["style", "padding"], "valid", "style.padding is 'valid'; expected one of symmetric, same"),
        (["style", "bn_epsilon"], 0, "efficientnet_b0: style.bn_epsilon is 0.0; expected 1e-30 to 1"),
        (["style"], None, "style is None; expected a mapping"),
        (["family"], "tinynett", "family is 'tinynett'; expected one of efficientnet, .*; did you mean 'tinynet'"),
        (["head_conv"], 960, "efficientnet_b0: head_conv is 960; family efficientnet has none"),
    ],
)
def test_faults_name_file_key_value_and_what_is_allowed(keys, value, text):
    with pytest.raises(UserError, match=f"^net.yaml: .*{text}"):
        from_dict(changed(keys, value), "net.yaml")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda items: st.lists(items, max_size=3) | st.dictionaries(st.text(max_size=5), items, max_size=3),
)


KEYS, STAGE_KEYS = list(to_dict(EFFICIENTNET_B0)), list(to_dict(EFFICIENTNET_B0)["stages"][0])


@given(JSON, st.sampled_from([*KEYS, None]), st.sampled_from(STAGE_KEYS))
def test_no_content_ends_in_another_error(value, key, stage_key):
    broken = changed([key], value) if key else changed(["stages", 1, stage_key], value)
    for content in (value, broken):
        try:
            from_dict(content)
        except UserError as fault:
            assert str(fault).startswith("architecture: ")


def test_missing_keys_are_named():
    content = to_dict(EFFICIENTNET_B0)
    del content["stages"][3]["repeats"]
    with pytest.raises(UserError, match=r"stages\[3\].repeats is missing"):
        from_dict(content)
    with pytest.raises(UserError, match="the content is None; expected a mapping"):
        from_dict(None)


@pytest.mark.parametrize(
    "name, text, fault",
    [
        ("net.yaml", "stages: [", "is not valid YAML"),
        ("net.json", "{", "is not valid JSON"),
        ("net.json", "[" * 100_000, "is not valid JSON"),
        ("net.yaml", "\0", "is not valid YAML"),
        ("net.yaml", "", "the content is None"),
        ("net.yaml", "name: &a [*a]", "not valid YAML: a list or mapping contains itself by an alias"),
        ("net.yaml", "? 2024-01-01\n: 3", "unknown key 2024-01-01"),
        ("net.yaml", "name: a\nname: b", "line 2, column 1: the key 'name' stands twice"),
        ("net.json", '{"name": "a", "name": "b"}', "not valid JSON: the key 'name' stands twice"),
        ("net.txt", "", "ends in .yaml, .yml or .json"),
    ],
)
def test_bad_files_are_one_line(tmp_path, name, text, fault):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=fault) as caught:
        load_architecture(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="cannot read the architecture .*nothing.yaml: No such file"):
        load_architecture(tmp_path / "nothing.yaml")
    with pytest.raises(UserError, match="ends in .yaml, .yml or .json"):
        save_architecture(EFFICIENTNET_B0, tmp_path / "b0.toml")
