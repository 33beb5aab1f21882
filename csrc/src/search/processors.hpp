// How many processors this process may use.
#pragma once

#include <string>

#include "kpm/kpm.hpp"

namespace kpm {

/// The least CPU quota, in processors, of a process's control group and those above it; infinite if
/// there is none. `membership` is in the place of /proc/self/cgroup, `root` of /sys/fs/cgroup;
/// versions 1 and 2. A path that does not exist below `root` is that of the host: in the container
/// its group is the root.
double cpu_quota(const std::string& membership, const std::string& root);

}  // namespace kpm
