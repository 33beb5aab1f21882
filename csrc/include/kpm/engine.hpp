// An engine that keeps its book: orders come, change and go by their numbers, and whenever it is
// asked it clears the book as it stands. docs/engine.md has the rules and the costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kpm/kpm.hpp"
#include "kpm/validation.hpp"

namespace kpm {

/// What an engine makes room for in advance. Within these no event allocates.
struct EngineLimits {
  std::int64_t orders = 0;
  std::int64_t levels = 0;  ///< distinct pairs of claim and limit; 0: as many as orders
  bool fixed = false;       ///< true: what is beyond them is refused; false: the engine grows
  int states = 0;           ///< of the markets to come; 0: as many as the first has
};

/// One order of a book.
struct BookOrder {
  std::int64_t id = 0;
  std::int64_t claim = 0;
  std::int8_t side = 0;  ///< +1 buy, -1 sell
  double price = 0.0;
  double quantity = 0.0;
};

/// A whole book by priority, in columns that belong to the engine: valid until the next event.
struct BookColumns {
  Orders orders;  ///< without times: earlier in the book is earlier
  const std::int64_t* id = nullptr;
};

/// A market and its orders. Orders have priority by arrival; one that is replaced goes to the end,
/// unless its limit stays and its quantity does not grow.
///
/// A clearing is that of kpm::clear for the orders by priority, bit for bit but for seconds and
/// threads: it depends on the book and the settings alone, not on how the book came to be, nor on
/// what was cleared before.
///
/// Events return what is wrong, and change nothing where something is. An engine serves one thread
/// at a time; engines share nothing.
class Engine {
 public:
  /// The market is copied. Throws InvalidInput.
  explicit Engine(const Market& market, const EngineLimits& limits = {});
  Engine(Engine&& other) noexcept;
  Engine& operator=(Engine&& other) noexcept;
  ~Engine();

  Fault add(std::int64_t claim, std::int8_t side, double price, double quantity, std::int64_t id);
  Fault cancel(std::int64_t id);
  /// Leave `quantity` of the order, no more than it has; its priority stays. One for nothing stays
  /// in the book until it is cancelled.
  Fault reduce(std::int64_t id, double quantity);
  Fault replace(std::int64_t id, double price, double quantity);
  /// Cancel all orders.
  void remove_all();

  /// Another market with as many claims, such as the same claims with another maker. Copied.
  Fault set_market(const Market& market);
  const Market& market() const;

  std::int64_t size() const;
  bool contains(std::int64_t id) const;
  /// False if there is no such order.
  bool find(std::int64_t id, BookOrder& order) const;
  BookColumns orders();

  /// Clear the book, which stays as it is. Throws what kpm::clear throws, which is std::bad_alloc.
  Clearing clear(const ClearSettings& settings);

  /// The same without fills, and without the pass through the orders that they take.
  Clearing indicative(const ClearSettings& settings);

  /// The orders by priority, in bytes that mean the same on every machine: not the market.
  std::size_t snapshot_size() const;
  void snapshot(std::uint8_t* bytes);
  /// Take the book of a snapshot in the place of this one.
  Fault restore(const std::uint8_t* bytes, std::size_t size);

  /// A hash of the market and the orders by priority: what a clearing depends on, and nothing else.
  std::uint64_t state_hash();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kpm
