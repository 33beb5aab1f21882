#include "kpm/memory.hpp"

#include "numerics/large_array.hpp"

namespace kpm {

void keep_large_memory(bool wanted) noexcept { allow_large_memory(wanted); }

}  // namespace kpm
