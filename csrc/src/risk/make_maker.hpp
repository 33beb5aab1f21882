// A maker from its parameters.
#pragma once

#include <memory>

#include "kpm/makers.hpp"
#include "risk/maker.hpp"

namespace kpm {

/// Parameters are copied.
std::unique_ptr<Maker> make_maker(const MakerModel& model);

}  // namespace kpm
