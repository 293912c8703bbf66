"""Flags and YAML files become a configuration; a mistake becomes one line and an exit status."""

import re

import pytest
import yaml
from support.project import PROJECT

from src.cli import parse, read_yaml, run, run_commands, validate
from src.config import (
    COMMANDS,
    CompareConfig,
    CostConfig,
    DetectPredictConfig,
    EvalConfig,
    ExportConfig,
    FormulaConfig,
    LaunchConfig,
    PredictConfig,
    ReportConfig,
    TableConfig,
    TrainConfig,
    keys,
)
from src.design.families import ARCHITECTURES, EFFICIENTNET_COEFFICIENTS
from src.errors import Diverged, UserError

CONFIGS = sorted((PROJECT / "config").glob("*.yaml"))


def write(path, text):
    path.write_text(text)
    return str(path)


def test_flag_over_yaml_over_base_over_default(tmp_path):
    write(tmp_path / "base.yaml", "epochs: 5\nlr: 0.5\nhflip: 0.25\n")
    child = write(tmp_path / "child.yaml", "base: base.yaml\nlr: 0.25\nhflip: 0.1\n")
    config = parse(TrainConfig, ["--config", child, "--hflip", "0"])
    assert (config.epochs, config.lr, config.hflip, config.momentum) == (5, 0.25, 0, 0.9)


def test_dashes_and_equal_signs(tmp_path):
    config = parse(TrainConfig, ["--batch-size=7", "--data-path", "a-b", "--no-debug", "--replace-head"])
    assert (config.batch_size, config.data_path, config.debug, config.replace_head) == (7, "a-b", False, True)
    assert parse(TrainConfig, ["--no-replace-head"]).replace_head is False
    assert parse(EvalConfig, ["--json"]).as_json
    assert [str(p) for p in parse(PredictConfig, ["a.jpg", "--top_k", "3", "b c"]).images] == ["a.jpg", "b c"]


@pytest.mark.parametrize("file", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_configuration_is_valid(file):
    config = parse(TrainConfig, ["--config", str(file)])
    parse(EvalConfig, ["--config", str(file)])
    again = yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json", by_alias=True)))
    assert TrainConfig.model_validate(again) == config


def test_paper_recipe_is_what_the_tinynet_files_say():
    recipe = parse(TrainConfig, ["--config", str(PROJECT / "config/tinynet_b.yaml")])
    assert (recipe.model, recipe.drop_path, recipe.dropout, recipe.epochs) == ("tinynet_b", 0.1, 0.2, 450)
    assert (recipe.lr, recipe.decay_rate, recipe.decay_epochs, recipe.warmup_epochs) == (0.048, 0.97, 2.4, 3)
    assert (recipe.epsilon, recipe.weight_decay, recipe.ema_decay, recipe.loss_scale) == (1e-3, 1e-5, 0.9999, 1024)
    assert parse(TrainConfig, ["--config", str(PROJECT / "config/tinynet_c.yaml")]).drop_path == 0
    assert (recipe.optimizer, recipe.schedule, recipe.mixup, recipe.cutmix) == ("rmsprop", "step", 0, 0)


def test_a_recipe_names_its_network_and_how_to_start_it():
    for file in CONFIGS:
        text = file.read_text(encoding="utf-8")
        assert text.startswith("# "), file.name
        if file.stem in ARCHITECTURES:
            assert read_yaml(file)["model"] == (file.stem, file)
            assert f"--config config/{file.name} --data_path IMAGENET\n" in text
            assert f": {ARCHITECTURES[file.stem].resolution} px, " in text.splitlines()[0]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_network_has_a_recipe(name):
    if "minus" in name:  # no recipe of their own: TinyNet's
        recipe = parse(TrainConfig, ["--config", str(PROJECT / "config/imagenet.yaml"), "--model", name])
    else:
        recipe = parse(TrainConfig, ["--config", str(PROJECT / f"config/{name}.yaml")])
    assert (recipe.model, recipe.input_size) == (name, 0)


@pytest.mark.parametrize("name", EFFICIENTNET_COEFFICIENTS)
def test_efficientnets_train_with_the_released_dropout(name):
    recipe = parse(TrainConfig, ["--config", str(PROJECT / f"config/{name}.yaml")])
    assert recipe.dropout == EFFICIENTNET_COEFFICIENTS[name].dropout
    assert (recipe.lr, recipe.drop_path, recipe.bn_momentum, recipe.autoaugment) == (0.256, 0.2, 0.99, True)
    side = ARCHITECTURES[name].resolution
    assert recipe.crop_pct == pytest.approx(side / (side + 32), abs=1e-3)  # 32 pixels more than are kept


def test_the_recipes_of_the_ghostnets():
    recipe = parse(TrainConfig, ["--config", str(PROJECT / "config/ghostnet_100.yaml")])
    assert (recipe.optimizer, recipe.schedule, recipe.momentum, recipe.batch_size) == ("sgd", "cosine", 0.9, 128)
    assert (recipe.lr, recipe.warmup_lr, recipe.min_lr, recipe.lr_batch) == (0.4, 0.1, 1e-6, 1024)
    assert (recipe.epochs, recipe.warmup_epochs, recipe.weight_decay, recipe.ema_decay) == (500, 20, 4e-5, 0)
    recipe = parse(TrainConfig, ["--config", str(PROJECT / "config/s_ghostnet_b4.yaml")])
    assert (recipe.lr, recipe.warmup_lr, recipe.epochs, recipe.weight_decay) == (0.6, 1e-4, 450, 2e-5)
    assert (recipe.dropout, recipe.drop_path, recipe.autoaugment, recipe.schedule) == (0.3, 0.1, True, "cosine")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--lrr", "1"], "unknown flag '--lrr'; did you mean '--lr'"),
        (["--lr", "fast"], "command line: lr is 'fast': expected a valid number"),
        (["--lr", "nan"], "lr is 'nan': expected a finite number"),
        (["--batch_size", "0"], "batch_size is '0': expected greater than or equal to 1"),
        (["--model", "tinynet_f"], "model is 'tinynet_f': unknown network; did you mean"),
        (["--amp_level", "O1"], "amp_level is 'O1': expected 'O0', 'O2' or 'O3'"),
        (["--lr", "1_0"], "command line: lr is '1_0': expected digits without _"),
        (["--crop_scale", "0.0_1", "1"], "command line: crop_scale is ['0.0_1', '1']: expected digits without _"),
        (["--crop_scale", "0.9", "0.1"], "the smaller first"),
        (["--crop_scale", "0.5", "1.5"], "a crop keeps at most 1"),
        (["--crop_scale", "0.5"], "argument --crop_scale: expected 2 arguments"),
        (["--config", "nowhere.yaml"], "cannot read the configuration nowhere.yaml"),
        (["--config", ""], "command line: config is '': expected a path; an empty text is none"),
        (["--run_dir", ""], "command line: run_dir is '': expected a path; an empty text is none"),
        (["--data_path="], "command line: data_path is '': expected a path; an empty text is none"),
        (["stray"], "unexpected argument 'stray'"),
    ],
)
def test_wrong_flags_are_explained(arguments, words):
    with pytest.raises(UserError, match=re.escape(words)):
        parse(TrainConfig, arguments)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ("--lr 1 --lr=2", "--lr is given twice, as 1 and 2; leave one of them out"),
        ("--crop-scale 0.1 1 --crop_scale 0.2 1", "--crop_scale is given twice, as 0.1 1 and 0.2 1; leave one"),
        ("--config a.yaml --config b.yaml", "--config is given twice, as a.yaml and b.yaml"),
        ("--nesterov --no-nesterov", "--nesterov and --no-nesterov are both given; leave one of them out"),
    ],
)
def test_a_flag_with_two_values_is_refused(arguments, words):
    with pytest.raises(UserError, match=re.escape(words)):
        parse(TrainConfig, arguments.split())


def test_a_flag_may_be_repeated_with_its_value(tmp_path):
    file = write(tmp_path / "c.yaml", "lr: 0.5")
    words = f"--config {file} --lr 2 --nesterov --config {file} --lr=2 --nesterov --crop_scale 0 1 --crop_scale 0 1"
    with pytest.raises(UserError, match="crop_scale is .*expected two numbers above 0"):
        parse(TrainConfig, words.split())
    config = parse(TrainConfig, words.replace(" 0 1", " 0.5 1").split())
    assert (config.lr, config.nesterov, config.crop_scale) == (2, True, (0.5, 1))


@pytest.mark.parametrize(
    "text, words",
    [
        ("epoch: 3", "unknown key 'epoch'; did you mean 'epochs'"),
        ("epochs: many", "c.yaml: epochs is 'many'"),
        ("epochs: 2.5", "c.yaml: epochs is 2.5"),
        ("hflip: 2", "c.yaml: hflip is 2: expected less than or equal to 1"),
        ("epochs: true", "c.yaml: epochs is true, a boolean"),
        ("lr: 0.1\nlr: 0.001", "c.yaml is not valid YAML: line 2, column 1: the key 'lr' stands twice"),
        ("base: ''", "c.yaml: base is '': expected a path; an empty text is none"),
        ("base: [a]", "c.yaml: base is ['a']: expected a path, which is a text"),
        ("epochs: 1_0", "c.yaml: epochs is '1_0': expected digits without _"),
        ("epochs: 1:30", "c.yaml: epochs is '1:30': expected a valid integer"),
        ("lr: 1e400", "c.yaml: lr is inf: expected a finite number"),
        ("lr: .inf", "c.yaml: lr is inf: expected a finite number"),
        ("lr: 2026-01-01", "c.yaml: lr is '2026-01-01': expected a valid number"),
        ("run_dir: ''", "c.yaml: run_dir is '': expected a path; an empty text is none"),
        ("- a\n- b", "c.yaml holds a list"),
        ("a: [1", "c.yaml is not valid YAML"),
        ("base: c.yaml", "leads back to the file itself"),
        ("base: nowhere.yaml", "cannot read the configuration"),
    ],
)
def test_wrong_yaml_names_the_file_and_the_key(tmp_path, text, words):
    with pytest.raises(UserError, match=re.escape(words)):
        parse(TrainConfig, ["--config", write(tmp_path / "c.yaml", text)])


def test_yaml_words_and_numbers_are_what_they_look_like(tmp_path):
    text = "check_data: off\ncache: on\nlr: 1e-3\nepochs: 010\nbatch_size: 0x10\ndebug: yes\ndata_path: digits"
    config = parse(TrainConfig, ["--config", write(tmp_path / "c.yaml", text)])
    assert (config.check_data, config.cache, config.lr, config.epochs, config.debug) == ("off", "on", 1e-3, 10, True)
    assert config.batch_size == 16


@pytest.mark.parametrize("text", [b"\xef\xbb\xbfepochs: 5\r\nlr: 0.5\r\n", b"epochs: 5  \r\rlr:   0.5 # \xe9\xb1\xbc"])
def test_yaml_of_other_systems_is_read(tmp_path, text):
    (tmp_path / "c.yaml").write_bytes(text)
    config = parse(TrainConfig, ["--config", str(tmp_path / "c.yaml")])
    assert (config.epochs, config.lr) == (5, 0.5)


def path_options():
    """Give schema, key and a value below the home folder for every option that takes paths."""
    suffixes = {"plot": ".png", "sheet": ".png", "confusion": ".png", "workers": ".json"}
    for schema in (*COMMANDS, LaunchConfig):
        for key, name in keys(schema).items():
            field = schema.model_fields[name]
            is_path = "Path" in str(field.annotation) or name in (
                "data_path",
                "model",
                "models",
                "base",
                "resume",
                "workers",
            )
            if is_path and field.annotation is not int:
                yield pytest.param(schema, key, "~/a b" + suffixes.get(key, ".yaml"), id=f"{schema.__name__}-{key}")


@pytest.mark.parametrize("schema, key, path", path_options())
def test_every_path_may_begin_with_the_home_folder_and_is_not_empty(monkeypatch, schema, key, path):
    monkeypatch.setenv("HOME", "/home/somebody")
    several = "tuple" in str(schema.model_fields[keys(schema)[key]].annotation)
    config = validate(schema, {key: [path] if several else path}, {key: "here"})
    found = getattr(config, keys(schema)[key])
    assert str(found[0] if several else found) == path.replace("~", "/home/somebody")
    for bad in ("", "\0"):
        with pytest.raises(UserError, match=rf"here: {key} is .*(an empty text is none|NUL character)"):
            validate(schema, {key: [bad] if several else bad}, {key: "here"})


@pytest.mark.parametrize("path", ["net/", ".", "..", "a/..", "/", "folder", "~", "a.png/"])
@pytest.mark.parametrize(
    "schema, key", [(ExportConfig, "file_name"), (EvalConfig, "results"), (EvalConfig, "confusion")]
)
def test_a_file_is_not_written_beside_the_folder_that_is_named(tmp_path, monkeypatch, schema, key, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=f"here: {key} is '{path}': expected the path of a file, not of a folder"):
        validate(schema, {key: path}, {key: "here"})


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "a/~", "x~", "~x"])
def test_other_tildes_stay_as_a_shell_leaves_them(path):
    assert str(parse(TrainConfig, ["--run_dir", path]).run_dir) == path


def test_an_unknown_home_is_named(monkeypatch):
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as without HOME and an entry in /etc/passwd
    with pytest.raises(UserError, match="run_dir is '~/x': the home folder is not known; set HOME"):
        parse(TrainConfig, ["--run_dir", "~/x"])


def test_a_base_may_lie_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    write(tmp_path / "home/base.yaml", "epochs: 7")
    assert parse(TrainConfig, ["--config", write(tmp_path / "c.yaml", "base: ~/base.yaml")]).epochs == 7


def test_a_long_value_is_cut_in_the_error(tmp_path):
    with pytest.raises(UserError, match=r"lr is '9{196}\.\.\.: ") as error:
        parse(TrainConfig, ["--config", write(tmp_path / "c.yaml", "lr: '" + "9" * 5000 + "x'")])
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("schema", COMMANDS)
def test_help_shows_every_key_with_group_and_default(schema, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(schema, ["--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    words = {PredictConfig: "images", CostConfig: "models", CompareConfig: "models", TableConfig: "files"}
    words |= {ReportConfig: "studies", DetectPredictConfig: "images"}
    positional = words.get(schema)
    assert all(f"--{key}" in text for key in keys(schema) if key != positional)
    assert positional is None or f" [{schema.model_fields[positional].title} ...]\n" in text
    assert "\nProgram:" in text and text.count(":\n") >= 3
    if schema is TrainConfig:
        assert "[0.048]" in text and "pixels" in text


@pytest.mark.parametrize(
    "error, status, words",
    [
        (UserError("no such thing"), 2, "error: no such thing\n"),
        (Diverged("nan"), 3, "error: nan\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_exit_status_and_one_line(error, status, words, capsys):
    def action(_):
        raise error

    assert run(TrainConfig, action, "", []) == status
    assert capsys.readouterr().err == words


def test_debug_shows_the_trace(capsys):
    def action(_):
        raise UserError("no such thing")

    assert run(TrainConfig, action, "", ["--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("text, macs", [("100M", 1e8), ("0.6G", 6e8), ("24000k", 2.4e7), ("1e8", 1e8)])
def test_budgets_have_units(text, macs):
    assert parse(FormulaConfig, ["--macs", text]).macs == pytest.approx(macs)


@pytest.mark.parametrize("text, seconds", [("5ms", 0.005), ("0.2 s", 0.2)])
def test_times_have_units(text, seconds):
    assert parse(FormulaConfig, ["--latency", text]).latency == pytest.approx(seconds)


def test_an_architecture_file_is_seen_from_the_configuration_that_names_it(tmp_path):
    (tmp_path / "net.yaml").write_text("")
    (tmp_path / "train.yaml").write_text("model: net.yaml")
    assert parse(TrainConfig, ["--config", str(tmp_path / "train.yaml")]).model == str(tmp_path / "net.yaml")
    (tmp_path / "net.yaml").unlink()  # a run's own configuration names it as seen from where the run was started
    assert parse(TrainConfig, ["--config", str(tmp_path / "train.yaml")]).model == "net.yaml"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--macs", "100Q"], "macs is '100Q': expected a number with a unit, such as 100M"),
        (["--macs", "manyM"], "macs is 'manyM': expected a number with a unit, such as 100M"),
        (["--macs=-1M"], "macs is '-1M': expected greater than or equal to 1"),
        (["--macs", "infM"], "expected a number with a unit"),
        (["--latency", "5"], "latency is '5': expected a number with a unit, such as 5ms"),
        (["--latency", "0ms"], "latency is '0ms': expected greater than 0"),
        (["--rule", "huge"], "rule is 'huge': expected 'tiny' or 'giant'"),
        (["--plot", "plot.gif"], "ends in .png or .pdf"),
    ],
)
def test_wrong_budgets_are_explained(arguments, words):
    with pytest.raises(UserError, match=re.escape(words)):
        parse(FormulaConfig, arguments)


def weigh(config):
    """Weigh networks.

    search.py weigh tinynet_c

    Raises:
        UserError: never.
    """
    print("weighed", *config.models)


def run_scales(*argv):
    return run_commands({"weigh": (CostConfig, weigh)}, "Scales.", argv)


def test_the_first_word_names_the_command(capsys):
    assert run_scales("weigh", "a", "b") == 0
    assert capsys.readouterr().out == "weighed a b\n"


def test_flags_may_stand_between_the_words_of_a_command(capsys):
    assert run_scales("weigh", "--num-classes", "3", "a", "--all", "b") == 0
    assert capsys.readouterr().out == "weighed a b\n"


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_help_lists_the_commands_with_their_summary(argv, capsys):
    assert run_scales(*argv) == 0
    out = capsys.readouterr().out
    assert "Scales." in out and re.search(r"\n +weigh +Weigh networks\.\n", out)


def test_help_of_a_command_shows_its_flags_and_examples(capsys):
    with pytest.raises(SystemExit) as stop:
        run_scales("weigh", "--help")
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert " weigh [--config YAML] [--FLAG VALUE ...] [MODEL_OR_FILE ...]\n" in out
    assert "search.py weigh tinynet_c" in out and "--num_classes INT" in out and "Raises" not in out


def test_an_unknown_command_is_one_line_with_a_suggestion(capsys):
    assert run_scales("weight") == 2
    err = capsys.readouterr().err
    assert err.startswith("error: unknown command 'weight'; did you mean 'weigh'?; expected weigh; `")
    assert err.count("\n") == 1


def test_an_unknown_flag_of_a_command_is_one_line_with_a_suggestion(capsys):
    assert run_scales("weigh", "--numclasses", "3") == 2
    assert "did you mean '--num_classes'?; `" in capsys.readouterr().err


def test_debug_may_be_set_in_yaml(tmp_path, capsys):
    def action(_):
        raise UserError("no such thing")

    assert run(TrainConfig, action, "", ["--config", write(tmp_path / "c.yaml", "debug: true")]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_conflict_names_the_key_its_value_and_where_it_was_set(tmp_path):
    file = write(tmp_path / "c.yaml", "autoaugment: true")
    with pytest.raises(UserError) as error:
        parse(TrainConfig, ["--config", file, "--randaugment", "9"])
    assert str(error.value).startswith(f"{file}: autoaugment is True: RandAugment is on too; choose one of them (auto")
    with pytest.raises(UserError, match="^command line: autoaugment is True: "):
        parse(TrainConfig, ["--autoaugment", "--randaugment", "9"])


@pytest.mark.parametrize(
    "arguments, file, blamed",
    [
        ("--epochs 2", "", "command line: epochs is '2'"),
        ("--epochs 2", "warmup_epochs: 3", "command line: epochs is '2'"),
        ("--warmup_epochs 3", "epochs: 2", "command line: warmup_epochs is '3'"),
        ("--warmup_epochs 3 --epochs 2", "", "command line: warmup_epochs is '3'"),
        ("", "epochs: 2", "c.yaml: epochs is 2"),
    ],
)
def test_a_conflict_names_what_the_user_set_last(tmp_path, arguments, file, blamed):
    words = f"{blamed}: warm-up takes 3 epochs, the whole run 2; shorten --warmup_epochs"
    with pytest.raises(UserError, match=re.escape(words)):
        parse(TrainConfig, ["--config", write(tmp_path / "c.yaml", file), *arguments.split()])


@pytest.mark.parametrize("argv", [[], ["--help"], ["weigh", "--help"], ["weigh", "a"]])
def test_an_output_that_cannot_be_written_is_one_line(monkeypatch, capsys, argv):
    monkeypatch.setattr("sys.stdout", None)  # closed
    assert run_scales(*argv) == 2
    assert capsys.readouterr().err == "error: cannot write to standard output: Bad file descriptor\n"
