#include "search/tree/node_pipeline.hpp"

#include <algorithm>
#include <utility>

#include "search/team.hpp"

namespace kpm {

NodePipeline::NodePipeline(const ScaledMarket& market, const std::vector<Corners>& corners,
                           StopToken& token, NodeSolver& own, const Team& team)
    : market_(market), corners_(corners), token_(token), own_(own), team_(team) {}

NodePipeline::~NodePipeline() {
  if (std::uncaught_exceptions() > unwinding_) {
    token_.stop();  // nobody wants what the others are at
  }
  end_helpers();
}

void NodePipeline::dismiss() {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    quit_ = true;
    while (working_ > 0) {
      poll_while_waiting(lock);
    }
  }
  end_helpers();
}

void NodePipeline::end_helpers() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    quit_ = true;
  }
  entered_.notify_all();
  for (std::thread& helper : helpers_) {
    helper.join();
  }
  helpers_.clear();
  quit_ = false;
}

double NodePipeline::bound() const {
  double most = -kInfinity;
  for (std::size_t n = first_; n < end_; ++n) {
    most = std::max(most, slots_[n % kMost]->bound);
  }
  return most;
}

bool NodePipeline::next_begun() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return taken_ > first_;
}

void NodePipeline::enter(Node&& node, const NodeTask& task, std::vector<Node>& spent) {
  std::unique_ptr<Slot>& place = slots_[end_ % kMost];
  if (!place) {
    place = std::make_unique<Slot>();
  }
  Slot& entering = *place;  // no thread looks at it before it is counted
  Node& spare = entering.outcome.spare;
  if (spare.box.first.empty() && !entering.node.box.first.empty()) {
    spare = std::move(entering.node);  // a helper has processed a copy of it
  } else if (spare.box.first.empty() && !spent.empty()) {
    spare = std::move(spent.back());
    spent.pop_back();
  }
  entering.node = std::move(node);
  entering.bound = entering.node.bound;
  entering.incumbent = task.incumbent;
  entering.costs = task.costs;
  entering.supports = task.supports;
  entering.climb = task.climb;
  entering.keep_settled = task.keep_settled;
  entering.done = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++end_;
  }
  entered_.notify_all();  // not all of them are allowed to work
}

/// `keeps`: the node may have to be taken back.
void NodePipeline::work(NodeSolver& solver, Slot& slot, bool keeps) {
  const NodeTask task{slot.incumbent, slot.costs, slot.supports, slot.climb, slot.keep_settled};
  if (keeps) {
    solver.process(slot.node, task, slot.outcome);
  } else {
    solver.process(std::move(slot.node), task, slot.outcome);
  }
}

NodeOutcome& NodePipeline::leave() {
  recruit();
  if (const std::exception_ptr failure = wait_for_next()) {
    std::rethrow_exception(failure);
  }
  return slot(first_++).outcome;
}

Node NodePipeline::take_back() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (taken_ == first_) {
      ++taken_;
      slot(first_).done = true;
    }
  }
  wait_for_next();
  return std::move(slot(first_++).node);
}

/// Until a helper has processed a node, or for a few milliseconds: the calling thread hears limits
/// for all.
void NodePipeline::poll_while_waiting(std::unique_lock<std::mutex>& lock) {
  constexpr auto kWait = std::chrono::milliseconds(5);
  if (done_.wait_for(lock, kWait) == std::cv_status::timeout) {
    lock.unlock();
    token_.poll();
    lock.lock();
  }
}

/// Until the next node is processed: by this thread, if no other has taken it. While another
/// processes it, this one processes others. Returns what has failed in a helper.
std::exception_ptr NodePipeline::wait_for_next() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!slot(first_).done) {
    if (taken_ < end_) {
      const std::size_t number = taken_++;
      lock.unlock();
      work(own_, slot(number), number != first_);
      lock.lock();
      slot(number).done = true;
    } else {
      poll_while_waiting(lock);
    }
  }
  return failure_;
}

/// As many helpers as may work now, and have something to do.
void NodePipeline::recruit() {
  if (size() < 2) {
    return;
  }
  int helping = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    allowed_ = helpers(team_.threads, begin_, team_.delay, working_);
    helping = std::min(allowed_, static_cast<int>(size()) - 1);
  }
  while (static_cast<int>(helpers_.size()) < helping && !no_more_threads_) {
    const std::size_t at = helpers_.size();
    if (solvers_.size() == at) {
      solvers_.push_back(std::make_unique<NodeSolver>(market_, corners_, token_));
    }
    NodeSolver& solver = *solvers_[at];
    const int member = static_cast<int>(at) + 1;
    try {
      helpers_.emplace_back([this, member, &solver] { help(member, solver); });
      most_ = std::max(most_, member);
    } catch (...) {
      no_more_threads_ = true;  // no thread, or no memory for one: fewer do the same work
    }
  }
}

void NodePipeline::help(int member, NodeSolver& solver) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    entered_.wait(lock, [&] { return quit_ || (member <= allowed_ && taken_ < end_); });
    if (quit_) {
      return;
    }
    Slot& taken = slot(taken_++);
    ++working_;
    lock.unlock();
    std::exception_ptr failure;
    {
      const Searching counted;
      try {
        work(solver, taken, true);
      } catch (...) {
        failure = std::current_exception();
        token_.stop();
      }
    }
    lock.lock();
    --working_;
    taken.done = true;
    if (failure && !failure_) {
      failure_ = failure;
    }
    done_.notify_one();
  }
}

}  // namespace kpm
