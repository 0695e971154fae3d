"""SageMaker training jobs on this machine: the API, and jobs that really run.

Usable with any state machine and any container code: nothing here knows the emulator it sits
behind, nor the project it serves. `service.SageMakerService` answers API calls,
`stepfunctions.run_task` the Step Functions integration.

    api            one function an action         <- shapes, training_request, listing
    jobs, store    the job record; the durable records of all jobs
    queue          the threads that run jobs, a few at a time
    runner         one job from start to end      <- images, environments, channels, opt_ml,
                                                     container (launcher), last_words,
                                                     artifacts, job_log
    disk           what a full disk is called, wherever one is met
"""
