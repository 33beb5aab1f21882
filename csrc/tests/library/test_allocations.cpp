// An engine in its caller's memory never calls the C library's allocator: its calls are counted.
#include <vector>

#include "c/c_book.hpp"
#include "library/counted_malloc.hpp"
#include "library/own_allocator.hpp"

namespace kpm {

TEST(a_hundred_thousand_clearings_allocate_nothing) {
  if (!test::kOwnAllocator || !test::kCounts) {
    SKIP(test::kOwnAllocator ? test::kCountsNot : test::kNoOwnAllocator);
  }
  test::Random random(95);
  const test::CBook book(random, 4, 3, 24);
  const kpm_limits limits{sizeof limits, 4, 3, 24, 0, 0, 2};
  const kpm_market market = book.market();
  std::vector<unsigned char> memory(kpm_engine_size(&limits));
  kpm_engine* engine = nullptr;
  CHECK(kpm_engine_init(memory.data(), memory.size(), &limits, &market, &engine) == KPM_OK);
  test::CResult result(book.book);
  std::vector<std::uint8_t> bytes(8 * (3 + 5 * book.book.claim.size()));
  const std::vector<double> sizes{1.0, 20.0, 0.5, 3.0, 2.0, 100.0};
  std::vector<double> bid(sizes.size()), ask(sizes.size());
  std::vector<double> priors = book.book.prior;
  priors.insert(priors.end(), 4, 0.25);
  kpm_maker maker{
      sizeof maker, 0,     4,   book.book.prior.data(), priors.data(), priors.data(), 2, 0.1,
      0.05,         100.0, 20.0};
  kpm_settings convex = book.settings;
  convex.rule = KPM_COMPETITIVE;
  long refused = 0;
  long failed = 0;
  const long before = test::allocations();
  for (int clearing = 0; clearing < 100000; ++clearing) {
    const auto j = static_cast<std::size_t>(clearing) % book.book.claim.size();
    const auto id = static_cast<std::int64_t>(j);
    if (kpm_engine_add(engine, id, book.book.claim[j], book.book.side[j], book.book.price[j],
                       book.book.quantity[j]) != KPM_OK) {
      ++refused;  // the order exists: the message, too, must not allocate
      failed += kpm_engine_replace(engine, id, 0.1 * (clearing % 7), 1.0) != KPM_OK;
      failed += clearing % 3 == 0 && kpm_engine_cancel(engine, id) != KPM_OK;
    }
    if (clearing % 100 == 0) {
      failed += kpm_engine_snapshot(engine, bytes.data(), bytes.size()) != KPM_OK;
      failed +=
          kpm_engine_restore(engine, bytes.data(), kpm_engine_snapshot_size(engine)) != KPM_OK;
      failed += kpm_engine_set_market(engine, &market) != KPM_OK;
      failed += kpm_engine_quote(engine, nullptr, 0, bid.data(), ask.data()) != KPM_OK;
      failed += kpm_engine_quote(engine, sizes.data(), 2, bid.data(), ask.data()) != KPM_OK;
      failed += kpm_engine_state_hash(engine) == 0;
    }
    failed += kpm_engine_clear(engine, &book.settings, &result.result) != KPM_OK;
    if (clearing % 10 == 0) {
      maker.kind = clearing / 10 % 6;
      convex.rule = KPM_COMPETITIVE + clearing / 60 % 2;
      failed += kpm_engine_set_maker(engine, &maker, nullptr) != KPM_OK;
      failed += kpm_engine_quote(engine, nullptr, 0, bid.data(), ask.data()) != KPM_OK;
      failed += kpm_engine_quote(engine, sizes.data(), 2, bid.data(), ask.data()) != KPM_OK;
      failed += kpm_engine_clear(engine, &convex, &result.result) != KPM_OK;
      failed += kpm_engine_set_market(engine, &market) != KPM_OK;
    }
  }
  const long after = test::allocations();
  CHECK(after - before == 0);
  CHECK(failed == 0);
  CHECK(refused > 10000);
  // The counter counts: an engine of its own memory allocates.
  kpm_engine* own = nullptr;
  CHECK(kpm_engine_create(&market, 10, &own) == KPM_OK);
  CHECK(test::allocations() > after);
  kpm_engine_free(own);
  kpm_engine_free(engine);
}

}  // namespace kpm
