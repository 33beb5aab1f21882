// A maker from its parameters.
#pragma once

#include <memory>

#include "kpm/makers.hpp"
#include "risk/maker.hpp"

namespace kpm {

/// The maker in units of `money`: C(money L) / money, up to a constant for starting orders.
/// Parameters are copied.
std::unique_ptr<Maker> make_maker(const MakerModel& model, double money = 1.0);

}  // namespace kpm
