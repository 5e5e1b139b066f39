// libyaml: the event parser behind cluster.yaml.
#ifndef HEARSAY_CYAML_SHIM_H
#define HEARSAY_CYAML_SHIM_H

#include <yaml.h>

#endif
