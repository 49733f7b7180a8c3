#pragma once

// Gives freed memory back to the kernel. A shim because malloc_trim is a GNU extension that Swift's Glibc does not show.
void mld_release_memory(void);

// How many heaps malloc may keep side by side. More are quicker under contention, fewer hold less freed memory.
void mld_limit_arenas(int count);
