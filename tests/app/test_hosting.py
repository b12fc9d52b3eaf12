"""What can be seen of the image and its companions without building them: who runs, what is in, what stays out."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from kpi_core.plan import Plan
from workbench import samples

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/hosting.md").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def dockerfile():
    """Return the instructions of each stage as (word, rest)."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    stages = []
    for line in filter(None, lines):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, " ".join(rest.split())))
    return stages


BUILD, LAST = dockerfile()


def only(stage, word):
    return [rest for found, rest in stage if found == word]


def test_the_app_runs_as_nobody_in_particular():
    users = only(LAST, "USER")

    assert users == ["10001:10001"]
    assert LAST.index(("USER", users[0])) < LAST.index(("CMD", only(LAST, "CMD")[0]))
    assert "--uid 10001" in only(LAST, "RUN")[0]


def test_both_stages_stand_on_the_same_small_base_whose_version_is_named():
    bases = [only(stage, "FROM")[0].split(" ")[0] for stage in (BUILD, LAST)]

    assert bases[0] == bases[1]
    assert re.fullmatch(r"python:3\.1[1-9]-slim-[a-z]+", bases[0])


def test_packages_come_locked_and_ready_made_and_only_in_the_first_stage():
    install = next(step for step in only(BUILD, "RUN") if "pip" in step)

    assert {"--require-hashes", "--only-binary=:all:", "requirements.txt"} <= set(shlex.split(install))
    assert not re.search(r"\b(pip|apt|apt-get|gcc|make|curl|git)\b", " ".join(only(LAST, "RUN")))


def test_everything_that_is_copied_exists_and_is_let_in():
    copied = [source for step in only(BUILD, "COPY") for source in step.split(" ")[:-1]]

    assert {"app.py", ".streamlit/config.toml", "workbench", "kpi_core", "pages", "sample_data"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert let_in(source), source
    assert all(step.startswith("--from=build ") for step in only(LAST, "COPY"))
    assert ("WORKDIR", "/app") in LAST  # the options are read from the folder the server starts in


@pytest.mark.parametrize(
    "path",
    ["data/gyakusan.sqlite3", ".git/config", "tests/plans.py", "secrets/db_password", ".streamlit/secrets.toml", ".env",
     ".venv/bin/python", "plan.yaml", "workbench/__pycache__/x.pyc", "kpi_core/focus/__pycache__/y.cpython-313.pyc"],
)  # fmt: skip
def test_plans_secrets_history_and_tests_stay_out(path):
    assert not let_in(path)


def let_in(path):
    """Say as Docker would whether a path is sent to the build: the last line that matches it or a parent counts."""
    parents = [path, *(str(parent) for parent in Path(path).parents)][:-1]
    kept = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern = re.escape(line.lstrip("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
            if any(re.fullmatch(pattern, parent) for parent in parents):
                kept = line.startswith("!")
    return kept


def test_the_image_says_where_plans_are_kept_and_that_it_is_hosted():
    said = dict(pair.split("=", 1) for pair in shlex.split(only(LAST, "ENV")[0]))

    assert said["GYAKUSAN_HOSTED"] == "1"
    assert [said["GYAKUSAN_DATA"]] == only(LAST, "VOLUME")
    assert not [name for name in said if name.startswith("STREAMLIT_")]  # options are in the file alone


def test_its_health_is_asked_with_what_is_in_it():
    test = only(LAST, "HEALTHCHECK")[0]

    assert 'CMD ["python", "-c"' in test
    assert ":8501/healthz" in test
    assert "--server.port=8501" in only(LAST, "CMD")[0]


@pytest.mark.parametrize("name", ["app", "db"])
def test_each_service_can_do_as_little_as_possible(name):
    service = COMPOSE["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert any(mount.startswith("/tmp") for mount in service["tmpfs"])


def test_the_database_is_reached_by_the_app_alone_and_its_password_is_a_file():
    app, database = COMPOSE["services"]["app"], COMPOSE["services"]["db"]

    assert "ports" not in database
    assert COMPOSE["networks"]["back"]["internal"] is True
    assert database["networks"] == ["back"]
    assert database["user"] == "postgres"
    assert app["ports"] == ["127.0.0.1:8501:8501"]
    assert app["depends_on"]["db"]["condition"] == "service_healthy"
    assert "healthcheck" in database
    assert COMPOSE["secrets"] == {"db_password": {"file": "./secrets/db_password"}}
    assert "password" not in str(app["environment"]).lower()
    assert database["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/db_password"
    assert re.fullmatch(r"postgres:\d+-[a-z]+", database["image"])


def test_the_app_gets_the_password_from_the_file_and_is_then_the_only_process(tmp_path):
    """The entry point, run by this machine's shell."""
    (tmp_path / "db_password").write_text("it is 'secret'\n")
    entry = [part.replace("$$", "$") for part in COMPOSE["services"]["app"]["entrypoint"]]
    entry[2] = entry[2].replace("/run/secrets", str(tmp_path))

    told = subprocess.run(
        [*entry, "sh", "-c", 'echo "$PGPASSWORD" "$0"', "x y"], capture_output=True, text=True, check=True
    )

    assert told.stdout == "it is 'secret' x y\n"


def test_the_image_and_compose_start_the_same_server():
    assert yaml.safe_load(only(LAST, "CMD")[0]) == COMPOSE["services"]["app"]["command"]


def test_the_guide_names_what_exists():
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workbench").rglob("*.py"))
    admin = (ROOT / "workbench/admin.py").read_text(encoding="utf-8")

    for variable in set(re.findall(r"GYAKUSAN_[A-Z_]+", GUIDE)):
        assert f'"{variable}"' in code, variable
    for command in set(re.findall(r"workbench\.admin (\w+)", GUIDE)):
        assert f'"{command}"' in admin, command
    for path in set(re.findall(r"/(?:healthz|readyz|_stcore/\w+)", GUIDE)):
        assert path in code + (ROOT / "app.py").read_text(encoding="utf-8") or path.startswith("/_stcore/"), path
    for name in re.findall(r"\]\((?!http)([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / name).exists(), name


def test_the_image_holds_what_the_app_reads_at_start():
    """The sample plan is read from a folder beside the code."""
    assert isinstance(samples.sample_plan(), Plan)
    assert samples._FOLDER.relative_to(ROOT).parts[0] in " ".join(only(BUILD, "COPY"))
