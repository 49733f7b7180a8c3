#include "memory.h"

#include <malloc.h>

void mld_release_memory(void) { malloc_trim(0); }
