#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# Workflow managers that call singularity, with firn called so: each parses the version and says words of its own.
. "${srcdir:-.}/tests/lib.sh"
debian=$(image debian.sqfs)
command -v snakemake >/dev/null || command -v cwltool >/dev/null || skip_all 'this machine lacks: snakemake, cwltool'

mkdir "$scratch/bin" "$scratch/home" "$scratch/work" "$scratch/tmp"
ln -s "$(realpath "$(command -v "$FIRN")")" "$scratch/bin/singularity"
PATH=$scratch/bin:$PATH HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache TMPDIR=$scratch/tmp
export PATH HOME XDG_CACHE_HOME TMPDIR
cd "$scratch/work" || exit 1
ln -s "$debian" lab_latest.sif
ln -s "$debian" lab.sif

if command -v snakemake >/dev/null; then
	cat >Snakefile <<'TXT'
rule all:
    input: expand("{n}.out", n=range(4))

rule one:
    output: "{n}.out"
    container: "lab.sif"
    shell: "echo {wildcards.n} $SINGULARITY_NAME >{output}; cat /etc/debian_version >>{output}"
TXT
	ok 'snakemake --use-singularity runs its jobs' succeeds snakemake --cores 2 --use-singularity
	ok '... in the image'  prints '3 debian.sqfs' head -n 1 3.out
	ok '... with a bind'   succeeds snakemake --cores 1 --forceall --use-singularity --singularity-args "--bind $scratch/home:/mnt -e" 0.out
else
	skip 'snakemake --use-singularity' 'this machine lacks: snakemake'
fi

if command -v cwltool >/dev/null; then
	cat >tool.cwl <<'TXT'
cwlVersion: v1.0
class: CommandLineTool
baseCommand: [cat]
hints:
  DockerRequirement:
    dockerPull: lab
inputs:
  text: {type: File, inputBinding: {position: 1}}
outputs:
  copy: {type: stdout}
stdout: copy.txt
TXT
	echo 'by cwltool' >in.txt
	ok 'cwltool --singularity runs a tool' succeeds cwltool --singularity --outdir out tool.cwl --text in.txt
	ok '... whose output is there'         prints 'by cwltool' cat out/copy.txt
else
	skip 'cwltool --singularity' 'this machine lacks: cwltool'
fi
done_testing
