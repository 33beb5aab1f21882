// What an engine in its caller's memory keeps there.
#include <cstdint>
#include <vector>

#include "c/c_book.hpp"
#include "check.hpp"
#include "kpm/engine.hpp"
#include "kpm/kpm.h"
#include "library/own_allocator.hpp"
#include "memory/starved_heap.hpp"
#include "random_book.hpp"

namespace kpm {

/// The stated size is what it keeps, which the classes that keep it count, and what a clearing
/// needs besides: with next to nothing of that left a full book has enough.
TEST(an_engine_keeps_what_its_classes_say) {
  if (!test::kOwnAllocator) {
    SKIP(test::kNoOwnAllocator);
  }
  test::Random random(97);
  constexpr std::uint64_t kHeaders = 4096;
  for (int life = 0; life < 100; ++life) {
    const std::int64_t orders = random.below(3000);
    const std::int64_t levels =
        random.below(2) == 0 ? 0 : 1 + random.below(1 + 2 * static_cast<int>(orders));
    const kpm_limits limits{
        sizeof limits,  1 + random.below(50), 1 + random.below(30), orders, levels, 1,
        random.below(8)};
    const test::RandomBook book(random, 1 + random.below(limits.states), limits.claims, 0);
    const kpm_market market = test::c_market(book);
    std::vector<unsigned char> memory(kpm_engine_size(&limits));
    kpm_engine* engine = nullptr;
    CHECK(kpm_engine_init(memory.data(), memory.size(), &limits, &market, &engine) == KPM_OK);
    const std::uint64_t kept = Engine::bytes(
        limits.claims, {orders, levels, true, limits.states, 1, static_cast<int>(limits.priors)});
    const std::size_t used = test::heap_of(engine).used();
    CHECK(used >= kept && used <= kept + kHeaders);
    const test::Starved starved(engine, 1024);  // for the message of a refusal
    const std::int64_t most = levels == 0 ? orders : levels;
    const auto add = [&](std::int64_t id, std::int64_t level) {
      return kpm_engine_add(engine, id, level % limits.claims, 1,
                            0.001 * static_cast<double>(level), 1.1);
    };
    for (std::int64_t id = 0; id < orders; ++id) {
      CHECK(add(id, id % most) == KPM_OK);
    }
    CHECK(add(orders, 0) == KPM_INVALID_INPUT);
    CHECK(kpm_engine_cancel(engine, 0) == (orders > 0 ? KPM_OK : KPM_INVALID_INPUT));
    for (std::int64_t id = 1; id < orders; ++id) {  // to other limits, where there may be more
      const double price = 0.001 * static_cast<double>(most + (7 * id) % most) + 0.0005;
      const std::int32_t code = kpm_engine_replace(engine, id, price, 1.1);
      CHECK(code == KPM_OK || most < orders);
    }
    kpm_engine_free(engine);
  }
}

}  // namespace kpm
