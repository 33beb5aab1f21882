// From the structs of kpm.h to those of the core, validated.
#pragma once

#include <cstdint>

#include "kpm/kpm.h"
#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"

namespace kpm::c {

Market market_of(const kpm_market* given);
Orders orders_of(const kpm_orders* given);
/// Null is the defaults.
ClearSettings settings_of(const kpm_settings* given);

/// Whether an engine is to forget its last clearing.
bool is_cold(const kpm_settings* given);
MakerModel maker_of(const kpm_maker* given);

}  // namespace kpm::c
