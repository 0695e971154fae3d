"""SageMaker training and processing jobs on this machine: the API, and jobs that really run.

Usable with any state machine and any container code: nothing here knows the project it serves, and
`ministack` alone knows the emulator it sits behind. `service.SageMakerService` answers API calls,
`stepfunctions.run_task` the Step Functions integrations.

    ministack ── stepfunctions ── service
                                   ├── api          the actions by name; jobs, tags, pages
                                   └── running      one job from start to end, and their queue
                                        ├── cloudwatch   its log and metrics, live
                                        ├── transfers    /opt/ml: what comes in and what goes out
                                        └── containers   its image's environment, its process
    records     the record of a job, all of them, what clients see of each kind
    requests    shapes, meaning, and the table of what is honoured, ignored or refused
    abandonment what ends with a stopped execution, for `ministack`; iam, too, is only for it

Imports point down, and from all of them to config, control, errors, aws and disk.
"""
