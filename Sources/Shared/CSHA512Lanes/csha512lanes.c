#include "csha512lanes.h"
