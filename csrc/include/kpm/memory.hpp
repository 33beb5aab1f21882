// Memory that is kept from one call to the next.
#pragma once

namespace kpm {

/// Whether this thread's calls keep the memory of large arrays for the next ones, and ask the
/// system for large pages, as they do by default: not where a caller provides all memory.
void keep_large_memory(bool wanted) noexcept;

}  // namespace kpm
