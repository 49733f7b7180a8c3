#ifndef MLD_CLINUX_H
#define MLD_CLINUX_H
#endif
