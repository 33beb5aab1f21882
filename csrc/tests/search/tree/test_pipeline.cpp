#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"
#include "search/tree/pipeline.hpp"

namespace kpm {

namespace {

/// A tree whose nodes take unlike times, and leave two each while there are few.
class Walk {
 public:
  explicit Walk(int threads, std::int64_t fault = -1) : fault_(fault) {
    settings_.threads = threads;
  }

  int run() { return pipeline_.run(); }
  bool stopped() const { return token_.stopped(); }

  bool nothing_open() const { return open_ == 0; }
  void report() {}
  bool ends() const { return open_ == 0 || pipeline_.begun() >= 60; }
  void begin(Slot& slot) {
    --open_;
    slot.node.id = pipeline_.begun();
    known.push_back(taken);
    most = std::max(most, pipeline_.at_work() + 1);
  }
  void process(int member, Slot& slot) {
    CHECK(slot.node.id > 0 || member == 0);
    if (slot.node.id == fault_) {
      throw std::runtime_error("a fault");
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100 * (1 + slot.node.id * 7 % 10)));
  }
  void take(Slot& slot) {
    CHECK(slot.node.id == taken++);  // in order, whichever ended first
    open_ += slot.node.id < 40 ? 2 : 0;
  }

  std::vector<std::int64_t> known;  // taken before each node
  std::int64_t taken = 0;
  std::int64_t most = 0;  // at work

 private:
  std::int64_t fault_;
  StopToken token_{{}};
  SearchSettings settings_{0.0, 1, 0.0, &token_, {}};
  std::int64_t open_ = 1;
  Pipeline<Walk> pipeline_{*this, settings_};
};

}  // namespace

TEST(what_a_node_knows_does_not_depend_on_threads) {
  Walk one(1);
  CHECK(one.run() == 1);
  CHECK(one.known.size() == 60 && one.taken == 60);
  CHECK(one.most == Pipeline<Walk>::most_at_work(59));
  for (std::int64_t node = 0; node < 60; ++node) {
    const std::int64_t least = node + 1 - Pipeline<Walk>::most_at_work(node);
    CHECK(one.known[static_cast<std::size_t>(node)] >= std::max<std::int64_t>(least, 0));
  }
  for (const int threads : {2, 3, 8}) {
    Walk many(threads);
    CHECK(many.run() == threads);
    CHECK(many.known == one.known);
    CHECK(many.taken == 60);
  }
}

TEST(a_fault_in_any_thread_ends_all_of_them) {
  for (const int threads : {1, 3}) {
    for (const std::int64_t fault : {0, 7, 20, 30}) {
      Walk walk(threads, fault);
      bool thrown = false;
      try {
        walk.run();
      } catch (const std::runtime_error&) {
        thrown = true;
      }
      CHECK(thrown && walk.stopped());
      CHECK(walk.taken <= fault);
    }
  }
}

}  // namespace kpm
