from jiuzhu_cli.cli.main import main

main()
