"""A row policy of a few lines: who has a candidate takes the first one, but not before its patience is over."""

import numpy as np

from crowdgym.agents.row_policy import Parameters, RowPolicy


class Patient(RowPolicy):
    parameters = Parameters(("patience", "nothing"), np.array([8.0, 0.0]), np.array([4.0, 1.0]))
    reads = ("action_mask",)
    patience = 8.0

    def set_parameters(self, values):
        self.patience = self.parameters.checked(values)[0]

    def begin(self, copies, agents, width, metadata):
        self.epoch = 0

    def choose(self, observations, infos):
        self.epoch += 1
        return np.where(self.epoch > self.patience, infos["action_mask"][..., 1], 0).astype(np.int64)


class WithoutParameters(Patient):
    parameters = RowPolicy.parameters
