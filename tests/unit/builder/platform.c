/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Which of an index' images a platform leads to. */
#include "builder/source/manifest.h"

#include "tests/unit/tap.h"

static struct err err;

/* The platform of the blank-separated @offer that @wanted leads to; "+" behind one that exceeds it.
 */
static const char *choose(const char *offer, const struct platform *wanted)
{
	static char out[110];
	char copy[300], *rest = copy;
	int best = -1;

	(void)snprintf(copy, sizeof(copy), "%s", offer);
	(void)snprintf(out, sizeof(out), "none");
	for (char *one = strtok_r(copy, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
		struct platform is;
		int rank;

		if (platform_parse(one, &is, &err) < 0)
			return "no platform";
		rank = platform_rank(&is, wanted);
		if (rank < 0 || (best >= 0 && rank >= best))
			continue;
		best = rank;
		(void)snprintf(out, sizeof(out), "%s%s", one,
			       platform_exceeds(&is, wanted) ? "+" : "");
	}
	return out;
}

static const struct {
	const char *wanted, *offer, *chosen;
} asked[] = {
	{"linux/amd64", "linux/amd64/v3 linux/amd64", "linux/amd64"},
	{"linux/amd64", "linux/amd64 linux/amd64/v3", "linux/amd64"},
	{"linux/amd64", "linux/amd64/v3 linux/amd64/v1", "linux/amd64/v1"},
	{"linux/amd64", "linux/amd64/v1 linux/amd64", "linux/amd64"},
	{"linux/amd64", "linux/amd64/v4 linux/amd64/v2 linux/amd64/v3", "linux/amd64/v2+"},
	{"linux/amd64", "linux/amd64/strange linux/amd64/v4", "linux/amd64/v4+"},
	{"linux/amd64", "linux/amd64/strange", "linux/amd64/strange+"},
	{"linux/amd64", "linux/amd64/v-1 linux/amd64/v+1 linux/amd64/v2", "linux/amd64/v2+"},
	{"linux/amd64", "linux/amd64/v1. linux/amd64/v1.x linux/amd64/v123 linux/amd64/v2",
	 "linux/amd64/v2+"},
	{"linux/amd64", "linux/arm64 windows/amd64", "none"},
	{"linux/amd64/v3", "linux/amd64 linux/amd64/v3 linux/amd64/v2", "linux/amd64/v3"},
	{"linux/amd64/v3", "linux/amd64 linux/amd64/v2 linux/amd64/v4", "none"},
	{"linux/amd64/v1", "linux/amd64/v2 linux/amd64", "linux/amd64"},
	{"linux/amd64/strange", "linux/amd64/other", "none"},
	{"linux/arm64", "linux/arm64/v9 linux/arm64/v8", "linux/arm64/v8"},
	{"linux/arm64", "linux/arm64/v8.2 linux/arm64/v8.1", "linux/arm64/v8.1+"},
	{"linux/arm64", "linux/arm64/v8 linux/arm64", "linux/arm64"},
	{"linux/arm64/v8", "linux/arm64", "linux/arm64"},
	{"linux/arm64/v8", "linux/arm64 linux/arm64/v8", "linux/arm64/v8"},
	{"linux/arm64/v9", "linux/arm64 linux/arm64/v8", "none"},
	{"linux/arm", "linux/arm/v5 linux/arm/v6 linux/arm/v7", "linux/arm/v7"},
	{"linux/arm", "linux/arm/v8 linux/arm/v5 linux/arm/v6", "linux/arm/v6"},
	{"linux/arm/v6", "linux/arm/v5 linux/arm/v7", "none"},
	{"linux/ppc64le", "linux/ppc64le/power9 linux/ppc64le", "linux/ppc64le"},
	{"linux/ppc64le", "linux/ppc64le/power9", "linux/ppc64le/power9+"},
};

/* What a machine wants of itself, with the variant that it has. */
static const struct {
	struct platform wanted;
	const char *offer, *chosen;
} machines[] = {
	{{"linux", "arm", "v7", false}, "linux/arm/v5 linux/arm/v6 linux/arm/v7", "linux/arm/v7"},
	{{"linux", "arm", "v7", false}, "linux/arm/v5 linux/arm/v6", "linux/arm/v6"},
	{{"linux", "arm", "v7", false}, "linux/arm/v6 linux/arm", "linux/arm"},
	{{"linux", "arm", "v7", false}, "linux/arm/v5 linux/arm/v8", "linux/arm/v5"},
	{{"linux", "arm", "v7", false}, "linux/arm/v8", "linux/arm/v8+"},
	{{"linux", "arm", "v6", false}, "linux/arm/v7 linux/arm/v5", "linux/arm/v5"},
	{{"linux", "arm", "v6", false}, "linux/arm linux/arm/v8", "linux/arm+"},
};

int main(void)
{
	char promise[300];
	struct platform wanted;

	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		if (platform_parse(asked[i].wanted, &wanted, &err) < 0)
			return 2;
		(void)snprintf(promise, sizeof(promise), "%s of %s", asked[i].wanted,
			       asked[i].offer);
		is_str(choose(asked[i].offer, &wanted), asked[i].chosen, promise);
	}
	for (size_t i = 0; i < COUNT_OF(machines); i++) {
		(void)snprintf(promise, sizeof(promise), "a machine of %s%s: %s",
			       machines[i].wanted.architecture, machines[i].wanted.variant,
			       machines[i].offer);
		is_str(choose(machines[i].offer, &machines[i].wanted), machines[i].chosen, promise);
	}
	return done_testing();
}
