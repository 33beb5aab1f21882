// An engine behind a handle, whose memory is its own or its caller's.
#include "kpm/engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "engine_size.hpp"
#include "error.hpp"
#include "heap.hpp"
#include "inputs.hpp"
#include "kpm/kpm.h"
#include "kpm/makers.hpp"
#include "kpm/validation.hpp"
#include "results.hpp"
#include "structs.hpp"

struct kpm_engine {
  static constexpr std::uint64_t kMark = 0x656e69676e656d6bU;

  // No other memory has it, nor an engine that was freed: volatile, or a compiler leaves out what
  // is written just before that.
  volatile std::uint64_t mark = kMark;
  kpm::c::Heap* heap = nullptr;  // in the caller's memory, behind this; null: the allocator's
  std::int64_t nodes = 0;        // of a clearing's tree, at most; 0: no limit
  std::unique_ptr<kpm::Engine> book;
};

namespace kpm::c {

namespace {

using Clock = std::chrono::steady_clock;

bool is_engine(const kpm_engine* engine) {
  return engine != nullptr && engine->mark == kpm_engine::kMark;
}

/// Does the work with an engine, in its memory. The work returns a fault, or throws.
template <class Work>
std::int32_t with(kpm_engine* engine, Work&& work) noexcept {
  if (!is_engine(engine)) {
    return guarded([&] {
      throw engine == nullptr ? Refusal("engine", "is missing")
                              : Refusal("engine", "is not an engine, or has been freed");
    });
  }
  const HeapScope scope(engine->heap);
  std::int32_t refused = KPM_OK;
  const std::int32_t code = guarded([&] {
    if (const Fault fault = work(*engine)) {
      refused = keep_fault(fault);
    }
  });
  return code == KPM_OK ? refused : code;
}

/// An engine without a book, with a heap behind it, in memory that is large enough.
kpm_engine* placed(void* memory, std::size_t size) {
  const auto place = [&](std::size_t alignment, std::size_t bytes) {
    std::align(alignment, bytes, memory, size);
    void* const here = memory;
    memory = static_cast<std::byte*>(memory) + bytes;
    size -= bytes;
    return here;
  };
  auto* const engine = new (place(kEngineAlignment, sizeof(kpm_engine))) kpm_engine;
  void* const heap = place(alignof(Heap), sizeof(Heap));
  void* const rest = place(Heap::kAlignment, 0);
  engine->heap = new (heap) Heap(rest, size);
  engine->mark = 0;  // until it has a book
  return engine;
}

/// Whether this library's allocations are its own to direct.
bool has_own_allocator(const Heap& heap) {
  // Volatile: a compiler may leave out a block that is never used.
  void* volatile plain = std::malloc(1);
  void* volatile by_new = ::operator new(1);
  const bool own = heap.contains(plain) && heap.contains(by_new);
  ::operator delete(by_new);
  std::free(plain);
  return own;
}

/// A clearing with as many nodes as there is memory for: where it runs out, with fewer.
Clearing searched(kpm_engine& engine, ClearSettings settings, bool fills) {
  const auto clear = [&] {
    return fills ? engine.book->clear(settings) : engine.book->indicative(settings);
  };
  if (engine.heap == nullptr) {
    return clear();
  }
  const Clock::time_point start = Clock::now();
  const double time_limit = settings.time_limit;
  settings.threads = 1;
  if (settings.node_limit == 0 || settings.node_limit > engine.nodes) {
    settings.node_limit = engine.nodes;
  }
  for (;; settings.node_limit = std::max<std::int64_t>(1, settings.node_limit / 4)) {
    const double spent = std::chrono::duration<double>(Clock::now() - start).count();
    settings.time_limit = std::max(0.0, time_limit - spent);
    try {
      return clear();
    } catch (const std::bad_alloc&) {
      if (settings.node_limit == 1) {
        throw;
      }
    }
  }
}

Fault clear(kpm_engine& engine, const kpm_settings* settings, kpm_result* result, bool fills) {
  const GivenSettings how = settings_of(settings);
  if (const Fault fault = validate_rule(engine.book->maker().kind, how.rule)) {
    return fault;
  }
  kpm_result own = read(static_cast<const kpm_result*>(result), "result");
  double* const filled = own.fills;
  if (!fills) {
    own.fills = nullptr;
  }
  if (how.cold) {
    engine.book->forget();
  }
  const bool wanted = own.fills != nullptr;
  if (how.rule == KPM_MAKER_OPTIMAL) {
    publish(searched(engine, how.search, wanted), own);
  } else if (wanted) {
    publish(engine.book->clear(how.auction()), own);
  } else {
    publish(engine.book->indicative(how.auction()), own);
  }
  own.fills = filled;
  write(own, result);
  return {};
}

Fault quote(kpm_engine& engine, const double* quantities, std::int64_t sizes, double* bid,
            double* ask) {
  const Market& market = engine.book->market();
  if (const Fault fault = validate_blocks(quantities, market.claims, sizes)) {
    return fault;
  }
  std::vector<double> losses(market.inventory, market.inventory + market.states);
  for (double& money : losses) {
    money = -money;
  }
  maker_quotes(engine.book->maker(), losses.data(), market.payoffs, market.claims,
               sizes > 0 ? quantities : nullptr, sizes, required(bid, "bid"), required(ask, "ask"));
  return {};
}

/// Copies the book's columns into the caller's.
void copy(const BookColumns& book, std::int64_t* id, std::int64_t* claim, std::int8_t* side,
          double* price, double* quantity) {
  const Orders& orders = book.orders;
  const auto put = [&](const auto* from, auto* to) {
    if (to != nullptr) {
      std::copy_n(from, orders.count, to);
    }
  };
  put(book.id, id);
  put(orders.claim, claim);
  put(orders.side, side);
  put(orders.price, price);
  put(orders.quantity, quantity);
}

/// A Knightian maker without a struct of its own has its market's numbers.
std::unique_ptr<Engine> engine_for(const GivenMarket& given, const EngineLimits& limits) {
  return given.by_itself ? std::make_unique<Engine>(given.market, given.maker, limits)
                         : std::make_unique<Engine>(given.market, limits);
}

Fault set_market(Engine& engine, const GivenMarket& given) {
  return given.by_itself ? engine.set_market(given.market, given.maker)
                         : engine.set_market(given.market);
}

Fault set_maker(Engine& engine, const kpm_maker* maker, const double* inventory) {
  Market market = engine.market();
  if (inventory != nullptr) {
    market.inventory = inventory;
  }
  return engine.set_market(market, read_maker(maker));
}

}  // namespace

}  // namespace kpm::c

extern "C" {

using namespace kpm::c;

std::int32_t kpm_engine_create(const kpm_market* market, std::int64_t orders, kpm_engine** engine) {
  return guarded([&] {
    required(engine, "engine");
    const GivenMarket given = market_of(market);
    if (orders < 0 || orders > kMostOrders) {
      throw Refusal("orders", "must be between 0 and 1e9", static_cast<double>(orders));
    }
    auto made = std::make_unique<kpm_engine>();
    kpm::EngineLimits limits;
    limits.orders = orders;
    made->book = engine_for(given, limits);
    *engine = made.release();
  });
}

std::size_t kpm_engine_size(const kpm_limits* limits) {
  std::size_t size = 0;
  guarded([&] { size = sizeof(kpm_engine) + sizeof(Heap) + engine_memory(limits_of(limits)); });
  return size;
}

std::int32_t kpm_engine_init(void* memory, std::size_t size, const kpm_limits* limits,
                             const kpm_market* market, kpm_engine** engine) {
  kpm_engine* made = nullptr;
  kpm::EngineLimits fixed;
  GivenMarket given;
  const std::int32_t code = guarded([&] {
    required(engine, "engine");
    required(memory, "memory");
    const Limits room = limits_of(limits);
    given = market_of(market);
    const kpm::Market& first = given.market;
    if (first.states > room.states) {
      throw Refusal("states", "must not exceed the limits", first.states);
    }
    if (first.claims != room.claims) {
      throw Refusal("claims", "must be those of the limits", first.claims);
    }
    if (given.maker.kind == kpm::MakerKind::kPolytope && given.maker.priors > room.priors) {
      throw Refusal("priors", "must not exceed the limits", given.maker.priors);
    }
    const std::size_t needed = sizeof(kpm_engine) + sizeof(Heap) + engine_memory(room);
    if (size < needed) {
      throw Refusal("size", "must be at least kpm_engine_size()", static_cast<double>(size),
                    Note{" of ", static_cast<double>(needed), " bytes"});
    }
    fixed = room.engine();
    made = placed(memory, size);
    made->nodes = room.nodes;
  });
  if (code != KPM_OK) {
    return code;
  }
  const HeapScope scope(made->heap);  // as long as an exception that was made in it
  return guarded([&] {
    if (!has_own_allocator(*made->heap)) {
      throw Unsupported(
          "this build has no allocator of its own: engines in their caller's memory need libkpm, "
          "on Linux");
    }
    made->book = engine_for(given, fixed);
    made->mark = kpm_engine::kMark;
    *engine = made;
  });
}

void kpm_engine_free(kpm_engine* engine) {
  if (!is_engine(engine)) {
    return;
  }
  engine->mark = 0;
  if (engine->heap == nullptr) {
    delete engine;
    return;
  }
  const HeapScope scope(engine->heap);
  engine->book.reset();
}

std::int32_t kpm_engine_add(kpm_engine* engine, std::int64_t id, std::int64_t claim,
                            std::int32_t side, double price, double quantity) {
  return with(engine,
              [&](kpm_engine& own) { return own.book->add(claim, side, price, quantity, id); });
}

std::int32_t kpm_engine_cancel(kpm_engine* engine, std::int64_t id) {
  return with(engine, [&](kpm_engine& own) { return own.book->cancel(id); });
}

std::int32_t kpm_engine_reduce(kpm_engine* engine, std::int64_t id, double quantity) {
  return with(engine, [&](kpm_engine& own) { return own.book->reduce(id, quantity); });
}

std::int32_t kpm_engine_replace(kpm_engine* engine, std::int64_t id, double price,
                                double quantity) {
  return with(engine, [&](kpm_engine& own) { return own.book->replace(id, price, quantity); });
}

std::int32_t kpm_engine_cancel_all(kpm_engine* engine) {
  return with(engine, [&](kpm_engine& own) {
    own.book->remove_all();
    return kpm::Fault{};
  });
}

std::int32_t kpm_engine_set_market(kpm_engine* engine, const kpm_market* market) {
  return with(engine, [&](kpm_engine& own) { return set_market(*own.book, market_of(market)); });
}

std::int32_t kpm_engine_set_maker(kpm_engine* engine, const kpm_maker* maker,
                                  const double* inventory) {
  return with(engine, [&](kpm_engine& own) { return set_maker(*own.book, maker, inventory); });
}

std::int32_t kpm_engine_clear(kpm_engine* engine, const kpm_settings* settings,
                              kpm_result* result) {
  return with(engine, [&](kpm_engine& own) { return clear(own, settings, result, true); });
}

std::int32_t kpm_engine_indicative(kpm_engine* engine, const kpm_settings* settings,
                                   kpm_result* result) {
  return with(engine, [&](kpm_engine& own) { return clear(own, settings, result, false); });
}

std::int32_t kpm_engine_quote(kpm_engine* engine, const double* quantities, std::int64_t sizes,
                              double* bid, double* ask) {
  return with(engine, [&](kpm_engine& own) { return quote(own, quantities, sizes, bid, ask); });
}

std::int32_t kpm_engine_forget(kpm_engine* engine) {
  return with(engine, [](kpm_engine& own) {
    own.book->forget();
    return kpm::Fault();
  });
}

std::int64_t kpm_engine_warm_clearings(const kpm_engine* engine) {
  return is_engine(engine) ? engine->book->warm_clearings() : 0;
}

std::int64_t kpm_engine_order_count(const kpm_engine* engine) {
  return is_engine(engine) ? engine->book->size() : 0;
}

std::int32_t kpm_engine_orders(kpm_engine* engine, std::int64_t* id, std::int64_t* claim,
                               std::int8_t* side, double* price, double* quantity) {
  return with(engine, [&](kpm_engine& own) {
    copy(own.book->orders(), id, claim, side, price, quantity);
    return kpm::Fault{};
  });
}

std::int32_t kpm_engine_order(kpm_engine* engine, std::int64_t id, std::int64_t* claim,
                              std::int8_t* side, double* price, double* quantity) {
  return with(engine, [&](kpm_engine& own) {
    kpm::BookOrder order;
    if (!own.book->find(id, order)) {
      return kpm::Fault{kpm::Rule::kUnknown, kpm::Field::kOrderId, id, -1, 0.0};
    }
    kpm::BookColumns one;
    one.orders.count = 1;
    one.orders.claim = &order.claim;
    one.orders.side = &order.side;
    one.orders.price = &order.price;
    one.orders.quantity = &order.quantity;
    one.id = &order.id;
    copy(one, nullptr, claim, side, price, quantity);
    return kpm::Fault{};
  });
}

std::size_t kpm_engine_snapshot_size(const kpm_engine* engine) {
  return is_engine(engine) ? engine->book->snapshot_size() : 0;
}

std::int32_t kpm_engine_snapshot(kpm_engine* engine, std::uint8_t* bytes, std::size_t size) {
  return with(engine, [&](kpm_engine& own) {
    required(bytes, "bytes");
    const std::size_t needed = own.book->snapshot_size();
    if (size < needed) {
      throw Refusal("size", "must be at least kpm_engine_snapshot_size()",
                    static_cast<double>(size), Note{" of ", static_cast<double>(needed), " bytes"});
    }
    own.book->snapshot(bytes);
    return kpm::Fault{};
  });
}

std::int32_t kpm_engine_restore(kpm_engine* engine, const std::uint8_t* bytes, std::size_t size) {
  return with(engine,
              [&](kpm_engine& own) { return own.book->restore(required(bytes, "bytes"), size); });
}

std::uint64_t kpm_engine_state_hash(kpm_engine* engine) {
  return is_engine(engine) ? engine->book->state_hash() : 0;
}

}  // extern "C"
