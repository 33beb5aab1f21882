// Compiled with the later header into the later library: how long its structs are.
#include "kpm/kpm.h"

extern "C" KPM_API size_t later_settings_size(void);
extern "C" size_t later_settings_size(void) { return sizeof(kpm_settings); }
