// Many books at once: each on one thread from beginning to end, as many at a time as there are
// threads. The answers have the bits of kpm::clear, whatever the number of threads.
#pragma once

#include <cstdint>
#include <functional>

#include "kpm/kpm.hpp"
#include "kpm/validation.hpp"

namespace kpm {

/// A book of a batch. Arrays are borrowed.
struct Book {
  Market market;
  Orders orders;
};

/// Takes the answers. Called by all threads, several at a time, once for each book that is looked
/// at; must not throw.
class BatchSink {
 public:
  BatchSink() = default;
  BatchSink(const BatchSink&) = delete;
  BatchSink& operator=(const BatchSink&) = delete;
  virtual ~BatchSink() = default;

  /// `gain`: what trading is worth to the maker, money, as maker_gain() has it.
  virtual void cleared(std::int64_t book, const Clearing& clearing, double gain) = 0;
  virtual void refused(std::int64_t book, const Fault& fault) = 0;  ///< input that breaks a rule
};

struct BatchSettings {
  ClearSettings clear;  ///< of every book; its threads, monitor and interrupted are not looked at
  int threads = 0;      ///< 0: the process's processors that no other clearing works on
  std::function<bool()> interrupted;  ///< asked now and then by the calling thread: true stops
};

/// Clears `count` books. Returns false if it was interrupted: books that had been begun are then
/// cleared as far as they were (Status::kInterrupted), the others are not handed to the sink.
bool clear_many(const Book* books, std::int64_t count, const BatchSettings& settings,
                BatchSink& sink);

}  // namespace kpm
