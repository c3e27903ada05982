#!/usr/bin/env python3
"""Plants the faults of mutants.txt in a copy of the tree and tells which of them the tests do not see.

All faults are compiled into one build of the copy; each is active only in a process whose environment variable
CSILINK_MUTANT has its number. Nothing is changed in the tree itself.

    run.py plant FOLDER            copies the tree to FOLDER and plants the faults there
    run.py test FOLDER             builds FOLDER and runs the suites of each fault; prints the survivors
    run.py all FOLDER              both
    run.py run FOLDER              as test, of what is built already

A fault counts as seen if a test fails that passes without a fault, or if the test program crashes or does not end. The
first such test ends the run of its fault.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VARIABLE = "CSILINK_MUTANT"
TEST_FLAGS = ["-c", "release", "--disable-testable-imports"]
BUNDLE = ".build/release/csilinkPackageTests.xctest"
SECONDS = 900
ISSUE = re.compile(r"Test (?!run |case )(.+?) recorded an issue (?:with \d+ arguments? (.+?) )?at ")

HELPER = """import Foundation

/// Which planted fault is active in this process.
enum Mutant {
  private static let active = ProcessInfo.processInfo.environment["%s"].flatMap { Int($0) }
  static func isOn(_ number: Int) -> Bool { active == number }
}
""" % VARIABLE

C_HELPER = """#pragma once

// Not <stdlib.h>, whose `select` is a name of the kernels.
extern char *getenv(const char *);
extern int atoi(const char *);

// The planted fault that is active in this process, or 0.
static int mutant_active;
__attribute__((constructor)) static void mutant_read(void) {
  const char *text = getenv("%s");
  mutant_active = text ? atoi(text) : 0;
}
// A macro, because functions of another instruction level are not put inline.
#define mutant_is_on(number) (mutant_active == (number))
""" % VARIABLE
CALL = re.compile(r"(?:Mutant\.isOn|mutant_is_on)\((\d+)\)")


class Mutant:
    def __init__(self, number, title):
        self.number, self.title, self.suites = number, title, []
        self.patches = []  # (file, original, replacement)


def fail(text):
    sys.exit("mutants: " + text)


def read_mutants():
    """The faults by number, in the order of the file; its head explains the format."""
    mutants, file, original = {}, None, None
    with open(os.path.join(HERE, "mutants.txt"), encoding="utf-8") as source:
        for line_number, line in enumerate(source, 1):
            line = line.rstrip("\n")
            head = re.fullmatch(r"\[(\d+)\] (.+)", line)
            if head:
                mutant = Mutant(int(head[1]), head[2])
                if mutant.number in mutants:
                    fail(f"mutants.txt:{line_number}: number {mutant.number} is taken")
                mutants[mutant.number] = mutant
                original = None
            elif line.startswith("suites: "):
                mutant.suites = line[len("suites: "):].split()
            elif line.startswith("file: "):
                file = line[len("file: "):]
            elif line.startswith("- "):
                original = line[2:] if original is None else original + "\n" + line[2:]
            elif line.startswith("+ "):
                if original is None or file is None:
                    fail(f"mutants.txt:{line_number}: nothing to replace")
                mutant.patches.append((file, original, line[2:]))
                original = None
            elif line and not line.startswith("#"):
                fail(f"mutants.txt:{line_number}: not understood: {line}")
    return mutants


def place(text, original):
    """Where the expression between << and >> (or all of it) stands; None unless the text is there exactly once."""
    before, expression, after = "", original, ""
    if "<<" in original:
        before, rest = original.split("<<", 1)
        expression, after = rest.split(">>", 1)
    whole = before + expression + after
    if text.count(whole) != 1:
        return None
    start = text.index(whole) + len(before)
    return start, start + len(expression)


def plant(folder, mutants):
    """Copies what git tracks or would track, plants the faults; returns the numbers of those that do not apply."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    names = [name for name in names if os.path.isfile(os.path.join(ROOT, name))]
    texts = {}
    lost = []
    cuts = {}  # file -> {(start, end): [(number, replacement)]}
    for mutant in mutants.values():
        found = []
        for file, original, replacement in mutant.patches:
            if file not in texts:
                path = os.path.join(ROOT, file)
                texts[file] = open(path, encoding="utf-8").read() if os.path.isfile(path) else ""
            span = place(texts[file], original)
            found.append(span and (file, span, replacement))
        clashes = [
            1 for item in found if item for other in cuts.get(item[0], {})
            if other != item[1] and other[0] < item[1][1] and item[1][0] < other[1]
        ]
        if None in found or clashes:
            lost.append(mutant.number)
            continue
        for file, span, replacement in found:
            cuts.setdefault(file, {}).setdefault(span, []).append((mutant.number, replacement))
    for file, spans in cuts.items():
        text = texts[file]
        call = "Mutant.isOn" if file.endswith(".swift") else "mutant_is_on"
        for (start, end), choices in sorted(spans.items(), reverse=True):
            expression = f"({text[start:end]})"
            for number, replacement in choices:
                expression = f"({call}({number}) ? ({replacement}) : {expression})"
            text = text[:start] + expression + text[end:]
        texts[file] = text
    planted = {file: texts[file] for file in cuts}
    for target, is_swift in {(file.split("/")[1], file.endswith(".swift")) for file in cuts}:
        if is_swift:
            planted[f"Sources/{target}/PlantedFaults.swift"] = HELPER
            continue
        planted[f"Sources/{target}/planted_faults.h"] = C_HELPER
        # Headers of the kernels are included several times, so their sources get the helper.
        for name in names:
            if name.startswith(f"Sources/{target}/") and name.endswith(".c"):
                text = planted.get(name) or open(os.path.join(ROOT, name), encoding="utf-8").read()
                planted[name] = '#include "planted_faults.h"\n' + text
    for name in names:
        if name not in planted:
            put(os.path.join(folder, name), open(os.path.join(ROOT, name), "rb").read())
    for name, text in planted.items():
        put(os.path.join(folder, name), text.encode())
    # Sources of an earlier copy that are no longer there.
    kept = set(names) | set(planted)
    for parent in ("Sources", "Tests", "Benchmarks"):
        for base, _, files in os.walk(os.path.join(folder, parent)):
            for file in files:
                path = os.path.join(base, file)
                if os.path.relpath(path, folder) not in kept:
                    os.remove(path)
    return lost


def put(path, content):
    """Writes a file unless it has this content: an equal file is not built again."""
    if os.path.isfile(path) and open(path, "rb").read() == content:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def share_dependencies(folder):
    """Fetched packages of the tree, so that the copy's build needs no network."""
    for name in ("repositories", "checkouts", "workspace-state.json"):
        source, target = os.path.join(ROOT, ".build", name), os.path.join(folder, ".build", name)
        if os.path.exists(target) or not os.path.exists(source):
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, target)


def build(folder):
    done = subprocess.run(["swift", "test", *TEST_FLAGS, "--filter", "^nothing$"], cwd=folder)
    if done.returncode != 0:
        fail("the copy with the planted faults does not build")


def failures(folder, suites, without, number=None, known=()):
    """The tests that fail; only the first that is not known if a fault is on. None if the test program did not come to its end.

    Of a parametrised test the arguments count too: another one may fail without the fault.
    """
    environment = dict(os.environ, SWIFT_BACKTRACE="enable=no")
    environment.pop(VARIABLE, None)
    if number is not None:
        environment[VARIABLE] = str(number)
    command = [BUNDLE, "--testing-library", "swift-testing", "--filter", "|".join(sorted(suites))]
    if without:
        command += ["--skip", without]
    with tempfile.TemporaryDirectory(prefix="mutant-") as scratch:
        environment["TMPDIR"] = scratch
        program = subprocess.Popen(
            command, cwd=folder, env=environment, errors="replace", text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        timer = threading.Timer(SECONDS, end, [program])
        timer.start()
        try:
            found, test_count = set(), None
            for line in program.stdout:
                issue = ISSUE.search(line)
                if issue and (name := " ".join(filter(None, issue.groups()))) not in known:
                    found.add(name)
                    if number is not None:
                        return found
                if last := re.search(r"Test run with (\d+) tests?", line):
                    test_count = int(last[1])
        finally:
            timer.cancel()
            end(program)
    if test_count is None:
        return None
    if test_count == 0 and not without:
        fail(f"no tests in {' '.join(suites)}")
    return found


def end(program):
    """Ends a test program with the processes that it started."""
    try:
        os.killpg(program.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    program.wait()


def test(folder, mutants, without):
    known, trusted = set(), set()  # tests that fail, and that pass, without a fault
    survivors = []
    for mutant in mutants:
        start = time.monotonic()
        while True:
            found = failures(folder, mutant.suites, without, mutant.number, known)
            if found is not None and found <= trusted:
                break
            # A test counts only if it passes, and comes to its end, without the fault.
            function = found and re.match(r"\w+(?=\()", min(found))
            suites = [f"/{function[0]}\\("] if function else mutant.suites
            failing = failures(folder, suites, without)
            if failing is None:
                fail(f"without a fault the test program does not end: {' '.join(suites)}")
            for name in sorted(failing - known):
                print(f"      fails without a fault: {name}", flush=True)
            known |= failing
            if found is None:
                break
            trusted |= found - failing
        if found is None:
            verdict = "seen (the test program crashed or did not end)"
        elif found:
            verdict = f"seen by {min(found)}"
        else:
            verdict = "SURVIVES"
            survivors.append(mutant)
        seconds = time.monotonic() - start
        print(f"{mutant.number:4} {seconds:4.0f} s  {verdict[:60]:60}  {mutant.title}", flush=True)
    return survivors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["plant", "test", "all", "run"])
    parser.add_argument("folder", help="the copy; made if missing, its build is used again")
    parser.add_argument("--only", help="numbers of faults, such as 1,4,20-30")
    parser.add_argument("--without", help="regular expression of suites and tests to leave out")
    options = parser.parse_args()
    mutants = read_mutants()
    folder = os.path.abspath(options.folder)
    lost = []
    if options.action in ("plant", "all"):
        lost = plant(folder, mutants)
        share_dependencies(folder)
        for number in lost:
            print(f"{number:4}  does not apply any more: {mutants[number].title}")
        print(f"{len(mutants) - len(lost)} faults planted in {folder}", flush=True)
    if options.action == "plant":
        return
    if options.action != "run":
        build(folder)
    planted = set()
    for base, _, files in os.walk(os.path.join(folder, "Sources")):
        for file in files:
            if file.endswith((".swift", ".c", ".h")):
                text = open(os.path.join(base, file), encoding="utf-8").read()
                planted |= {int(number) for number in CALL.findall(text)}
    wanted = planted if not options.only else planted & numbers(options.only)
    chosen = [mutant for mutant in mutants.values() if mutant.number in wanted]
    survivors = test(folder, chosen, options.without)
    print(f"{len(survivors)} of {len(chosen)} faults survive"
          + (": " + ", ".join(str(mutant.number) for mutant in survivors) if survivors else ""))
    if lost:
        print(f"{len(lost)} faults do not apply any more: {', '.join(map(str, lost))}")
    sys.exit(1 if survivors else 0)


def numbers(text):
    result = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        result |= set(range(int(first), int(last or first) + 1))
    return result


if __name__ == "__main__":
    main()
