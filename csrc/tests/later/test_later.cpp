// The tests of c/ against a library whose structs are longer than this program's.
#include <cstddef>

#include "check.hpp"
#include "kpm/kpm.h"

extern "C" std::size_t later_settings_size(void);

namespace kpm {

TEST(the_library_is_later_than_the_program) { CHECK(later_settings_size() > sizeof(kpm_settings)); }

}  // namespace kpm
