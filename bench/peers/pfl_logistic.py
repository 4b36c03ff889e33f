"""Clients a CPU-second of pfl-research: logistic regression 784 x 10, a federated averaging with a clip.

python pfl_logistic.py DATA --clients N: DATA holds, client after client, 60 x 784 float32 and then 60 int32 classes, in the
order in which each client takes its batches of 10. Prints JSON: the L2 norm of the first client's update, and clients a
CPU-second of this process over whole rounds of all clients.
"""
import argparse
import json
import time

import numpy as np
import torch
from pfl.aggregate.simulate import SimulatedBackend
from pfl.algorithm.base import NNAlgorithmParams
from pfl.algorithm.federated_averaging import FederatedAveraging
from pfl.data.dataset import Dataset
from pfl.data.federated_dataset import FederatedDataset
from pfl.data.sampling import get_user_sampler
from pfl.hyperparam.base import NNEvalHyperParams, NNTrainHyperParams
from pfl.model.pytorch import PyTorchModel
from pfl.privacy.gaussian_mechanism import GaussianMechanism
from pfl.privacy.privacy_mechanism import CentrallyAppliedPrivacyMechanism
from pfl.version import __version__

SAMPLES, WIDTH, CLASSES, BATCH = 60, 784, 10, 10


class Logistic(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(WIDTH, CLASSES)
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)

    def loss(self, x, y, eval=False):
        return torch.nn.functional.cross_entropy(self.head(x), y)

    @torch.no_grad()
    def metrics(self, x, y, eval=False):
        return {}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('data')
    parser.add_argument('--clients', type=int, required=True)
    parser.add_argument('--rounds', type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    raw = np.fromfile(args.data, dtype=np.float32).reshape(args.clients, SAMPLES * WIDTH + SAMPLES)
    users = {}
    for c in range(args.clients):
        x = torch.from_numpy(raw[c, :SAMPLES * WIDTH].reshape(SAMPLES, WIDTH).copy())
        y = torch.from_numpy(raw[c, SAMPLES * WIDTH:].view(np.int32).astype(np.int64))
        users[c] = Dataset(raw_data=[x, y], user_id=str(c))

    module = Logistic()
    model = PyTorchModel(module, local_optimizer_create=torch.optim.SGD, central_optimizer=torch.optim.SGD(module.parameters(), 1.0))
    train = NNTrainHyperParams(local_num_epochs=1, local_learning_rate=0.1, local_batch_size=BATCH)
    evaluate = NNEvalHyperParams(local_batch_size=None)
    norms = []

    class Watched(FederatedAveraging):
        def train_one_user(self, *inputs, **named):
            statistics, metrics = super().train_one_user(*inputs, **named)
            if not norms:
                norms.append(float(np.sqrt(sum(float((w.double() ** 2).sum()) for _, w in statistics.items()))))
            return statistics, metrics

    def run(rounds):
        sampler = get_user_sampler('minimize_reuse', list(range(args.clients)))
        data = FederatedDataset(lambda user: users[user], sampler)
        mechanism = CentrallyAppliedPrivacyMechanism(GaussianMechanism(clipping_bound=1.0, relative_noise_stddev=1.0))
        backend = SimulatedBackend(training_data=data, val_data=data, postprocessors=[mechanism])
        params = NNAlgorithmParams(central_num_iterations=rounds, evaluation_frequency=10 ** 6, train_cohort_size=args.clients, val_cohort_size=None)
        start, wall = time.process_time(), time.perf_counter()
        Watched().run(params, backend, model, train, evaluate, callbacks=[], send_metrics_to_platform=False)
        return rounds * args.clients / (time.process_time() - start), rounds * args.clients / (time.perf_counter() - wall)

    run(1)
    speed, wall = run(args.rounds)
    print(json.dumps({'version': __version__, 'torch': torch.__version__, 'norm': norms[0], 'clientsPerCpuSecond': speed, 'clientsPerSecond': wall}))


main()
