// From a clearing of the core to the struct of kpm.h.
#pragma once

#include <cstdint>

#include "kpm/auction.hpp"
#include "kpm/kpm.h"
#include "kpm/kpm.hpp"

namespace kpm::c {

/// A kpm_status.
std::int32_t status_of(Status status);

/// Fills the arrays that are there, and all numbers.
void publish(const Clearing& clearing, kpm_result& result);
void publish(const AuctionClearing& cleared, kpm_result& result);

}  // namespace kpm::c
