// An engine that keeps a book: orders are added, changed and cancelled by their ids, and on request
// the book is cleared in its current state. docs/engine.md has the rules and the costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kpm/auction.hpp"
#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"
#include "kpm/validation.hpp"

namespace kpm {

/// Capacity that an engine reserves in advance. Within these limits no event allocates.
struct EngineLimits {
  std::int64_t orders = 0;
  std::int64_t levels = 0;  ///< distinct pairs of claim and limit; 0: as many as orders
  bool fixed = false;       ///< true: events beyond them are refused; false: the engine grows
  int states = 0;           ///< of later markets; 0: as many as the first has
  std::int64_t nodes = 0;   ///< the node limit of its clearings, if they always have one
  int priors = 0;           ///< of later polytope makers
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

/// A market and its orders. Orders have priority by arrival; one that is replaced moves to the end,
/// unless its limit is unchanged and its quantity does not increase.
///
/// A clearing is that of kpm::clear for the orders by priority, bit for bit except seconds and
/// threads: it depends only on the book and the settings, not on the book's history or earlier
/// clearings.
///
/// Events return a fault, and a faulty event changes nothing; nor does a call that throws, such as
/// std::bad_alloc. An engine serves one thread at a time; engines share nothing.
class Engine {
 public:
  /// The market is copied. Throws InvalidInput.
  explicit Engine(const Market& market, const EngineLimits& limits = {});
  /// The claims and the inventory of a market, and any maker of the family, copied. Throws
  /// InvalidInput.
  Engine(const Market& market, const MakerModel& maker, const EngineLimits& limits = {});
  Engine(Engine&& other) noexcept;
  Engine& operator=(Engine&& other) noexcept;
  ~Engine();

  /// The bytes of all that an engine of fixed limits keeps from one call to the next;
  /// `limits.states` must be given. An allocator adds its own to each of two dozen blocks.
  static std::uint64_t bytes(int claims, const EngineLimits& limits);
  /// The most boxes that a node of a clearing's tree is divided into.
  static int most_boxes_of_node(int claims);

  /// `side`: +1 buy, -1 sell.
  Fault add(std::int64_t claim, std::int64_t side, double price, double quantity, std::int64_t id);
  Fault cancel(std::int64_t id);
  /// Reduce an order to `quantity`, at most its present one; its priority is kept. An order reduced
  /// to zero stays in the book until it is cancelled.
  Fault reduce(std::int64_t id, double quantity);
  Fault replace(std::int64_t id, double price, double quantity);
  /// Cancel all orders.
  void remove_all();

  /// Another market with as many claims, such as the same claims with another maker. Copied.
  Fault set_market(const Market& market);
  /// The same with any maker. The arrays may be those of this engine.
  Fault set_market(const Market& market, const MakerModel& maker);
  /// Its prior is null unless the maker is Knightian.
  const Market& market() const;
  const MakerModel& maker() const;

  std::int64_t size() const;
  bool contains(std::int64_t id) const;
  /// False if there is no such order.
  bool find(std::int64_t id, BookOrder& order) const;
  BookColumns orders();

  /// Clear the book without changing it. Throws what kpm::clear throws, which is std::bad_alloc,
  /// and InvalidInput unless the maker is Knightian. Where the cell of the last clearing proves
  /// this one, nothing is searched. The bits are those of a search, except Clearing::progress,
  /// iterations, threads and seconds.
  Clearing clear(const ClearSettings& settings);

  /// The same without fills, and without the pass over the orders that they take.
  Clearing indicative(const ClearSettings& settings);

  /// Clear the book by a convex rule, with the bits of kpm::clear_auction, which needs no search
  /// and starts from nothing. Throws what that throws.
  AuctionClearing clear(const AuctionSettings& settings);
  AuctionClearing indicative(const AuctionSettings& settings);

  /// Forget the last clearing: the next one is searched.
  void forget();

  /// How many clearings needed no search.
  std::int64_t warm_clearings() const;

  /// The orders by priority, in a format that is the same on every machine; the market is not
  /// included.
  std::size_t snapshot_size() const;
  void snapshot(std::uint8_t* bytes);
  /// Replace this book by that of a snapshot.
  Fault restore(const std::uint8_t* bytes, std::size_t size);

  /// A hash of the market and the orders by priority: what a clearing depends on, and nothing else.
  std::uint64_t state_hash();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kpm
