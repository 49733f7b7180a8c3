#pragma once

// Gives freed memory back to the kernel. A shim because malloc_trim is a GNU extension that Swift's Glibc does not show.
void mld_release_memory(void);
