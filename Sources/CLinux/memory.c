#include "memory.h"

#include <malloc.h>

void mld_release_memory(void) { malloc_trim(0); }

void mld_limit_arenas(int count) { mallopt(M_ARENA_MAX, count); }
