# SPDX-License-Identifier: LGPL-3.0-or-later
# tour.sh - what the documentation prints is done. Sourced after lib.sh by tests that have a place to do it.
#
#   documented COMMAND...         doc/json.md tells of all members of what it prints
#   registry_for_tour             a registry of this machine stands for docker.io; build/firn finds it
#   parsed PAGE                   firn knows the words of all command lines in PAGE, as far as files are where they say
#   tour PAGE WHERE [COMMAND...]  each console block of PAGE that is for WHERE, by a shell that COMMAND starts

needs_python
needs_programs bash

tour() {
	page=$1 where=$2
	shift 2
	python3 "$srcdir/tests/tools/tour.py" run "$srcdir/$page" "$where" "$@" >"$scratch/tour" 2>&1 </dev/null
	tell $?
}
parsed() {
	page=$1
	python3 "$srcdir/tests/tools/tour.py" parse "$srcdir/$page" "$srcdir/slurm-plugin/wish.c" >"$scratch/tour" 2>&1 </dev/null
	tell $?
}
# tell STATUS: the lines of tour.py as TAP.
tell() {
	cp "$scratch/tour" "$last"
	ok "$page is gone through to its end" test "$1" = 0
	# A page of which nothing is done would please everybody.
	ok "$page has something to do" grep -qE '^(pass|fail)' "$last"
	while IFS= read -r result; do
		case $result in
		pass\ *) ok "${result#pass }" true ;;
		skip\ *)
			result=${result#skip }
			skip "${result% '#' *}" "${result##* '#' }"
			;;
		fail\ *)
			: >"$last"
			ok "${result#fail }" false
			;;
		*) printf '#   | %s\n' "$result" ;;
		esac
	done <"$scratch/tour"
}

stop_registry() {
	sh "$srcdir/tests/registry/serve" stop "$scratch/registry"
	cleanup
}

# As quickstart leaves it: firn in build/ of the working directory. docker.io/debian:12 is a root of debootstrap's.
registry_for_tour() {
	needs docker-registry --version
	needs skopeo --version
	root=$(image debian.dir)
	export XDG_RUNTIME_DIR="$scratch/run"
	mkdir "$XDG_RUNTIME_DIR"
	trap stop_registry EXIT
	address=$(sh "$srcdir/tests/registry/serve" start "$scratch/registry") || exit 1
	# A root that an ordinary user can read in full, in one layer.
	tar -C "$root" --numeric-owner --owner=0 --group=0 --exclude=./dev/* --ignore-failed-read --warning=none -cf "$scratch/layer.tar" . &&
		python3 "$srcdir/tests/images/mkoci.py" --tag 12 --config '{"config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["bash"]}}' \
			"$scratch/oci" "$scratch/layer.tar@zstd" &&
		skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$scratch/oci:12" "docker://$address/library/debian:12" >"$scratch/push" 2>&1 ||
		{ cat "$scratch/push"; exit 1; }
	rm -r "$scratch/layer.tar" "$scratch/oci"
	printf '[registry "docker.io"]\nmirror = http://%s\n' "$address" >"$scratch/firn.conf"
	mkdir build
	cat >build/firn <<-END
		#!/bin/sh
		case \${1-} in
		pull | build | verify)
			verb=\$1
			shift
			exec "$FIRN" "\$verb" --config "$scratch/firn.conf" "\$@"
			;;
		esac
		exec "$FIRN" "\$@"
	END
	chmod 755 build/firn
}

# documented COMMAND...: what it prints is one JSON object, and doc/json.md tells of all its members under "## COMMAND ...".
documented() {
	"$@" >"$scratch/json" 2>"$last" </dev/null && python3 - "$srcdir/doc/json.md" "$scratch/json" "$*" >>"$last" 2>&1 <<-'PYTHON'
		import json, re, sys
		page, text, command = sys.argv[1:]
		words = command.split()
		sections = re.split(r"^## ", open(page, encoding="utf-8").read(), flags=re.M)[1:]
		section = [s for s in sections if any(set(words) >= set(p.split()) for p in s.splitlines()[0].split(", "))]
		known = {w for s in section for row in re.findall(r"^\|.*", s, re.M) for w in re.findall(r"`([a-z0-9_]+)`", row)}
		def members(value):
		    if isinstance(value, dict):
		        return set(value).union(*map(members, value.values()))
		    return set().union(*map(members, value)) if isinstance(value, list) else set()
		lost = members(json.load(open(text, encoding="utf-8"))) - known
		print("not in doc/json.md:", *sorted(lost) or ["nothing"])
		sys.exit(1 if lost or not known else 0)
	PYTHON
}
