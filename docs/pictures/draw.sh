# The animations of the documentation, one of each environment. From this folder: sh draw.sh
crowdgym run csc_v0 --scenario tiny --agent lookahead --set num_workers=20 --render csc_v0.gif
crowdgym run dasc_v0 --scenario tiny --agent task-schedule --set step_s=20 --render dasc_v0.gif
crowdgym run preference_v0 --scenario preference-tiny --agent km --render preference_v0.gif
crowdgym run sensing_v0 --agent gaussian-swap --set horizon_s=5184000 --render sensing_v0.gif
