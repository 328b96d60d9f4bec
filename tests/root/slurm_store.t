#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# srun --container=NAME:TAG: what a registry's name means is found out at submission, once.
. "$srcdir/tests/slurm.sh"
needs docker-registry --version
needs skopeo --version
needs firn build --help
begin
stop_all() {
	"$srcdir/tests/registry/serve" stop "$scratch/registry"
	end
}
trap stop_all EXIT

# Two images, which say which one they are.
for number in 1 2; do
	make_small "$scratch/root$number"
	echo "$number" >"$scratch/root$number/etc/which"
	tar cf "$scratch/$number.tar" -C "$scratch/root$number" . &&
		python3 "$srcdir/tests/images/mkoci.py" --tag latest "$scratch/oci$number" "$scratch/$number.tar" || exit 1
done
at=$("$srcdir/tests/registry/serve" start "$scratch/registry") || exit 1
push() { skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$scratch/oci$1:latest" "docker://$at/lab/tool:1" >"$scratch/skopeo.log" 2>&1; }
push 1 || { cat "$scratch/skopeo.log"; exit 1; }
name=$at/lab/tool:1

ok '--container-image with a name'      prints 1 srun --container-image="$name" probe cat /etc/which
ok "Slurm's own option"                 prints 1 srun --container="$name" probe cat /etc/which
ok 'as enroot has it'                   prints 1 srun --container-image="$at#lab/tool:1" probe cat /etc/which
ok "pyxis's variable"                   prints 1 user env PYXIS_CONTAINER_IMAGE="$name" srun -Q probe cat /etc/which
ok '... of which an option goes before' prints 1 user env PYXIS_CONTAINER_IMAGE="$at/lab/tool:none" srun -Q --container="$name" probe cat /etc/which
ok 'it is in the store of the user'     sh -c 'ls "$1"/.local/share/firn/images/sha256-*.sqfs' sh "$home"
ok 'several tasks and nodes'            all_print_one 4 srun -N2 -n4 --container-image="$name" probe cat /etc/which
ok 'a tag that no registry has'         status_is 125 srun --container-image="$at/lab/tool:none" true
ok 'ends srun'                          says 'no such image can be had'
ok 'with the cause'                     says "has no 'none' of the image"
# make_small has no shell: the batch script runs on the host, and its step has the image.
script job <<-'END'
	#!/bin/sh
	exec srun -Q --container-image="$1" probe cat /etc/which
END
over() { user scontrol show job "$job" | grep -qE 'JobState=(COMPLETED|FAILED|CANCELLED)'; }
push 2
ok 'a tag that moved is noticed'        prints 2 srun --container-image="$name" probe cat /etc/which
job=$(sbatch --parsable -o out ./job "$name" | tail -n 1)
ok 'within a job'                       wait_for over
ok 'it is the same'                     prints 2 cat "$home/out"
done_testing
