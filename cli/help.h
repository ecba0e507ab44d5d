/* help.h - --help, from the rows of verbs and options. Threads: one. */
#pragma once
#include <stdio.h>

#include "cli/verb.h"

void help_program(FILE *to);
/* All verbs whose first word this is. */
void help_group(const char *word, FILE *to);
void help_verb(const struct verb *verb, FILE *to);
